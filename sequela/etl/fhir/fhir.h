#pragma once

#include <string>

#include "sequela/etl/duckdb.h"
#include "sequela/etl/plan.h"

namespace sequela {

// Plans a FHIR R4 bulk export (hl7.org/fhir/R4, hl7.org/fhir/uv/bulkdata): *.ndjson and *.ndjson.gz
// in a folder, a resource a line, of whatever types in whatever files. Read are Patient, Encounter,
// Condition, Observation and its components, MedicationRequest, MedicationAdministration,
// MedicationStatement, Procedure, Immunization and AllergyIntolerance; resources of other types
// are counted and noted. Those that were entered in error give no event.
//
//   subject_id, visit_id  the id if it is a number, else a hash of it
//   code   the first coding: its system's usual name and its code, "SNOMED/386661006"
//   time   in UTC; a date is the end of its day, month or year, but for births
//   Visit/IP, Visit/ER, Visit/OP  an encounter, by its class
EtlPlan plan_fhir(DuckDb& db, const std::string& folder);

}  // namespace sequela
