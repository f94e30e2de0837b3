#include "sequela/etl/fhir/fhir.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "sequela/core/error.h"
#include "sequela/core/log.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// What is taken of one type: paths below the resource, the first that is there.
struct FhirType {
  const char* type;
  std::vector<std::string> codes;  // of CodeableConcepts
  std::vector<std::string> times, ends;
  const char* patient = "$.subject.reference";
  const char* encounter = "$.encounter.reference";
};

const std::vector<FhirType>& fhir_types() {
  static const std::vector<FhirType> types = {
      {"Condition",
       {"$.code"},
       {"$.onsetDateTime", "$.onsetPeriod.start", "$.recordedDate"},
       {"$.abatementDateTime", "$.abatementPeriod.end"}},
      {"MedicationRequest", {"$.medicationCodeableConcept"}, {"$.authoredOn"}, {}},
      {"MedicationAdministration",
       {"$.medicationCodeableConcept"},
       {"$.effectiveDateTime", "$.effectivePeriod.start"},
       {"$.effectivePeriod.end"},
       "$.subject.reference",
       "$.context.reference"},
      {"MedicationStatement",
       {"$.medicationCodeableConcept"},
       {"$.effectiveDateTime", "$.effectivePeriod.start", "$.dateAsserted"},
       {"$.effectivePeriod.end"},
       "$.subject.reference",
       "$.context.reference"},
      {"Procedure",
       {"$.code"},
       {"$.performedDateTime", "$.performedPeriod.start"},
       {"$.performedPeriod.end"}},
      {"Immunization",
       {"$.vaccineCode"},
       {"$.occurrenceDateTime", "$.recorded"},
       {},
       "$.patient.reference"},
      {"AllergyIntolerance",
       {"$.code"},
       {"$.onsetDateTime", "$.recordedDate"},
       {},
       "$.patient.reference"},
  };
  return types;
}

const std::vector<std::string> kObservationTimes = {
    "$.effectiveDateTime", "$.effectivePeriod.start", "$.effectiveInstant", "$.issued"};

std::vector<std::string> macros() {
  return {
      // "Patient/12", "urn:uuid:12", "http://host/Patient/12/_history/1" -> 12
      "CREATE OR REPLACE TEMP MACRO fhir_id(r) AS regexp_extract(r, "
      "'([^/:]+)(?:/_history/[^/]*)?$', 1)",
      "CREATE OR REPLACE TEMP MACRO fhir_number(r) AS coalesce(TRY_CAST(fhir_id(r) AS BIGINT),\n"
      "  CAST(md5_number_lower(fhir_id(r)) & 9223372036854775807 AS BIGINT))",
      "CREATE OR REPLACE TEMP MACRO fhir_time(t, date_seconds) AS CASE length(t)\n"
      "  WHEN 4 THEN TRY_CAST(t || '-01-01' AS TIMESTAMP) WHEN 7 THEN TRY_CAST(t || '-01' AS "
      "TIMESTAMP)\n"
      "  WHEN 10 THEN TRY_CAST(t AS TIMESTAMP) + to_seconds(date_seconds)\n"
      "  ELSE TRY_CAST(t AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END",
      "CREATE OR REPLACE TEMP MACRO fhir_system(s) AS CASE s\n"
      "  WHEN 'http://snomed.info/sct' THEN 'SNOMED' WHEN 'http://loinc.org' THEN 'LOINC'\n"
      "  WHEN 'http://www.nlm.nih.gov/research/umls/rxnorm' THEN 'RxNorm' WHEN "
      "'http://hl7.org/fhir/sid/ndc' THEN 'NDC'\n"
      "  WHEN 'http://hl7.org/fhir/sid/icd-10-cm' THEN 'ICD10CM' WHEN "
      "'http://hl7.org/fhir/sid/icd-10' THEN 'ICD10'\n"
      "  WHEN 'http://hl7.org/fhir/sid/icd-9-cm' THEN 'ICD9CM' WHEN "
      "'http://www.cms.gov/Medicare/Coding/ICD10' THEN 'ICD10PCS'\n"
      "  WHEN 'http://hl7.org/fhir/sid/cvx' THEN 'CVX' WHEN 'http://www.ama-assn.org/go/cpt' THEN "
      "'CPT4'\n"
      "  WHEN 'http://www.whocc.no/atc' THEN 'ATC' WHEN 'http://unitsofmeasure.org' THEN 'UCUM'\n"
      "  ELSE coalesce(nullif(regexp_extract(s, '([^/:]+)/?$', 1), ''), 'FHIR') END",
      "CREATE OR REPLACE TEMP MACRO fhir_code(concept) AS "
      "fhir_system(concept->>'$.coding[0].system') || '/' ||\n"
      "  nullif(concept->>'$.coding[0].code', '')",
      "CREATE OR REPLACE TEMP MACRO fhir_display(concept) AS "
      "coalesce(concept->>'$.coding[0].display', concept->>'$.text')"};
}

std::string text_at(const std::string& path, const std::string& of = "r") {
  return str("(", of, "->>'", path, "')");
}

std::string first_of(const std::vector<std::string>& paths) {
  std::string sql = "coalesce(";
  for (const std::string& path : paths) sql += (sql.back() == '(' ? "" : ", ") + text_at(path);
  return sql + ")";
}

class FhirPlanner {
 public:
  FhirPlanner(DuckDb& db, const std::string& folder) : db_(db), folder_(folder) {}
  EtlPlan plan();

 private:
  void find_files();
  bool has(const std::string& type);
  TablePlan start(const std::string& name, const std::string& type, const std::string& patient);
  void set_time(const std::vector<std::string>& times, PlannedEvent* block);
  void set_code(const std::string& concept_sql, PlannedEvent* block);
  void add_patient();
  void add_encounter();
  void add_observations();
  void add_component_values(const std::string& of, PlannedEvent* block);
  void add_type(const FhirType& type);

  DuckDb& db_;
  const std::string folder_;
  std::vector<std::string> files_;
  std::map<std::string, std::vector<std::string>> files_of_;  // by type
  EtlPlan plan_;
  int32_t num_blocks_ = 0;
};

void FhirPlanner::find_files() {
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    const std::string path = entry.path();
    if (entry.is_regular_file() && (path.ends_with(".ndjson") || path.ends_with(".ndjson.gz")))
      files_.push_back(path);
  }
  std::ranges::sort(files_);
  if (files_.empty()) {
    throw DataError({.path = folder_}, "there is no *.ndjson here",
                    "name the folder of the bulk export");
  }
  std::map<std::string, std::string> counts;
  for (const std::string& file : files_) {
    const auto rows =
        db_.texts(str("SELECT coalesce(json->>'$.resourceType', 'none'), CAST(count(*) AS VARCHAR) "
                      "FROM read_ndjson_objects(",
                      sql_text(file), ") GROUP BY 1 ORDER BY 1"));
    for (const auto& row : rows) files_of_[*row[0]].push_back(file);
    for (const auto& row : rows)
      counts[*row[0]] =
          str(std::stoll(*row[1]) + (counts.contains(*row[0]) ? std::stoll(counts[*row[0]]) : 0));
  }
  static const std::vector<std::string> kRead = {"Patient", "Encounter", "Observation",
                                                 "Medication"};
  for (const auto& [type, count] : counts) {
    const bool is_read = std::ranges::find(kRead, type) != kRead.end() ||
                         std::ranges::any_of(fhir_types(), [&](const FhirType& known) {
                           return type == known.type;
                         });
    if (!is_read) plan_.unread.push_back({type, std::stoll(count)});
  }
}

bool FhirPlanner::has(const std::string& type) {
  if (files_of_.contains(type)) return true;
  plan_.missing.push_back(type);
  return false;
}

TablePlan FhirPlanner::start(const std::string& name, const std::string& type,
                             const std::string& patient) {
  TablePlan plan{.name = name, .files = files_of_[type]};
  std::string list;
  for (const std::string& file : plan.files) list += (list.empty() ? "" : ", ") + sql_text(file);
  plan.from = str("(SELECT json AS r FROM read_ndjson_objects([", list,
                  "]) WHERE json->>'$.resourceType' = '", type, "') AS t");
  plan.subject_id = str("fhir_number(", text_at(patient), ")");
  plan.key = str("'", type, " ' || (", text_at("$.id"), ")");
  return plan;
}

void FhirPlanner::set_time(const std::vector<std::string>& times, PlannedEvent* block) {
  const std::string text = first_of(times);
  block->time = str("fhir_time(", text, ", 86399)");
  block->failed = str(text, " IS NOT NULL AND ", block->time, " IS NULL");
  block->wanted =
      str("coalesce(", text_at("$.status"), ", ", text_at("$.verificationStatus.coding[0].code"),
          ", '') <> 'entered-in-error'");
}

void FhirPlanner::set_code(const std::string& concept_sql, PlannedEvent* block) {
  block->code = str("fhir_code(", concept_sql, ")");
  block->components = str("fhir_display(", concept_sql, ")");
  plan_.codes.push_back(
      {"displays of " + block->name,
       {},
       str("SELECT DISTINCT code, components, NULL::VARCHAR FROM etl_codes WHERE block = ",
           num_blocks_)});
}

void FhirPlanner::add_patient() {
  if (!has("Patient"))
    throw DataError({.path = folder_}, "there is no Patient among the resources",
                    "export them, too");
  TablePlan plan = start("Patient", "Patient", "$.id");
  const std::string birth = str("fhir_time(", text_at("$.birthDate"), ", 0)");
  plan.blocks.push_back(
      {.name = "Patient/birth", .label = "Patient", .code = "'MEDS_BIRTH'", .time = birth});
  const std::string gender = text_at("$.gender");
  plan.blocks.push_back(
      {.name = "Patient/gender",
       .label = "Patient",
       .code = str("'Gender/' || CASE ", gender,
                   " WHEN 'male' THEN 'M' WHEN 'female' THEN 'F' ELSE ", gender, " END"),
       .time = birth});
  const std::string death = str("fhir_time(", text_at("$.deceasedDateTime"), ", 86399)");
  plan.blocks.push_back({.name = "Patient/death",
                         .label = "Patient",
                         .code = "'MEDS_DEATH'",
                         .time = death,
                         .wanted = str(text_at("$.deceasedDateTime"), " IS NOT NULL")});
  num_blocks_ += 3;
  plan_.tables.push_back(plan);
}

void FhirPlanner::add_encounter() {
  if (!has("Encounter")) return;
  TablePlan plan = start("Encounter", "Encounter", "$.subject.reference");
  PlannedEvent block{.name = "Encounter", .label = "Encounter"};
  block.code = str("CASE WHEN ", text_at("$.class.code"),
                   " IN ('IMP', 'ACUTE', 'NONAC', 'SS') THEN 'Visit/IP' WHEN ",
                   text_at("$.class.code"), " = 'EMER' THEN 'Visit/ER' ELSE 'Visit/OP' END");
  set_time({"$.period.start"}, &block);
  block.extras.push_back(
      {"end", ValueType::time, str("fhir_time(", text_at("$.period.end"), ", 86399)")});
  block.extras.push_back(
      {"visit_id", ValueType::integer, str("fhir_number(", text_at("$.id"), ")")});
  block.is_visit = true;
  ++num_blocks_;
  plan.blocks.push_back(block);
  plan_.tables.push_back(plan);
}

void FhirPlanner::add_component_values(const std::string& of, PlannedEvent* block) {
  block->numeric_value = str("TRY_CAST(coalesce(", text_at("$.valueQuantity.value", of), ", ",
                             text_at("$.valueInteger", of), ") AS FLOAT)");
  block->text_value = str("coalesce(", text_at("$.valueString", of), ", fhir_display(", of,
                          "->'$.valueCodeableConcept'), ", text_at("$.valueBoolean", of), ", ",
                          text_at("$.valueDateTime", of), ")");
  block->extras.push_back({"unit", ValueType::text,
                           str("coalesce(", text_at("$.valueQuantity.code", of), ", ",
                               text_at("$.valueQuantity.unit", of), ")")});
  block->extras.push_back(
      {"visit_id", ValueType::integer, str("fhir_number(", text_at("$.encounter.reference"), ")")});
}

void FhirPlanner::add_observations() {
  if (!has("Observation")) return;
  TablePlan plan = start("Observation", "Observation", "$.subject.reference");
  PlannedEvent block{.name = "Observation", .label = "Observation"};
  set_code("r->'$.code'", &block);
  set_time(kObservationTimes, &block);
  add_component_values("r", &block);
  ++num_blocks_;
  plan.blocks.push_back(block);
  plan_.tables.push_back(plan);

  TablePlan parts = start("Observation.component", "Observation", "$.subject.reference");
  parts.from = str("(SELECT r, unnest(json_extract(r, '$.component[*]')) AS c FROM ", parts.from,
                   ") AS parts");
  PlannedEvent part{.name = "Observation.component", .label = "Observation"};
  set_code("c->'$.code'", &part);
  set_time(kObservationTimes, &part);
  add_component_values("c", &part);
  ++num_blocks_;
  parts.blocks.push_back(part);
  plan_.tables.push_back(parts);
}

void FhirPlanner::add_type(const FhirType& type) {
  if (!has(type.type)) return;
  TablePlan plan = start(type.type, type.type, type.patient);
  PlannedEvent block{.name = type.type, .label = type.type};
  std::string coded = str("r->'", type.codes[0], "'");
  if (type.codes[0] == "$.medicationCodeableConcept" && files_of_.contains("Medication")) {
    const TablePlan medication = start("Medication", "Medication", "$.id");
    plan.from += str("\nLEFT JOIN (SELECT r->>'$.id' AS id, any_value(r->'$.code') AS code FROM ",
                     medication.from, " GROUP BY 1) AS m ON m.id = fhir_id(",
                     text_at("$.medicationReference.reference"), ")");
    plan.files.insert(plan.files.end(), medication.files.begin(), medication.files.end());
    coded = str("coalesce(", coded, ", m.code)");
  }
  set_code(coded, &block);
  set_time(type.times, &block);
  if (!type.ends.empty())
    block.extras.push_back(
        {"end", ValueType::time, str("fhir_time(", first_of(type.ends), ", 86399)")});
  block.extras.push_back(
      {"visit_id", ValueType::integer, str("fhir_number(", text_at(type.encounter), ")")});
  ++num_blocks_;
  plan.blocks.push_back(block);
  plan_.tables.push_back(plan);
}

EtlPlan FhirPlanner::plan() {
  plan_.source = "fhir";
  plan_.dataset_name = "FHIR";
  plan_.dataset_version = "R4";
  plan_.macros = macros();
  find_files();
  add_patient();
  add_encounter();
  for (const FhirType& type : fhir_types()) add_type(type);
  add_observations();
  return plan_;
}

}  // namespace

EtlPlan plan_fhir(DuckDb& db, const std::string& folder) {
  return FhirPlanner(db, folder).plan();
}

}  // namespace sequela
