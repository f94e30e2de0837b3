#pragma once

#include <string>

#include "sequela/etl/duckdb.h"
#include "sequela/etl/plan.h"

namespace sequela {

// Plans the tables of an OMOP CDM of version 5.3 or 5.4 (ohdsi.github.io/CommonDataModel) that lie
// in a folder: find_table_files() says how. A table that is missing is noted, but for person
// (DataError).
//
//   code   of the source concept, else of the standard concept: "vocabulary_id/concept_code"; a
//          concept that CONCEPT lacks is one of gender, race, ethnicity and visit by OMOP's fixed
//          ids, else "OMOP_CONCEPT_ID/<id>"; without a concept, "SOURCE/<table>/<source value>"
//   time   the start; a date without a time is the end of its day, 23:59:59, but for births
//   value  value_as_number, else the text of value_as_string (measurement: value_source_value),
//          as a number where it is one; else "SOURCE_CODE/<source value>" or "OMOP_CONCEPT_ID/<id>"
//   visit_id, end, unit, note_id   as the row has them; table: "person", "visit", "condition", ...
//
// Two events a visit: its start, and where the patient went at its end.
EtlPlan plan_omop(DuckDb& db, const std::string& folder);

}  // namespace sequela
