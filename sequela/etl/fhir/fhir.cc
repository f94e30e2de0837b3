#include "sequela/etl/fhir/fhir.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "sequela/core/error.h"
#include "sequela/etl/fhir/fhir_sql.h"
#include "sequela/etl/fhir/fhir_types.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kObservationTimes = {
    "$.effectiveDateTime", "$.effectivePeriod.start", "$.effectiveInstant", "$.issued"};

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
  std::map<std::string, int64_t> counts;
  for (const std::string& file : files_) {
    const auto rows =
        db_.texts(str("SELECT coalesce(json->>'$.resourceType', 'none'), CAST(count(*) AS VARCHAR) "
                      "FROM read_ndjson_objects(",
                      sql_text(file), ") GROUP BY 1 ORDER BY 1"));
    for (const auto& row : rows) {
      files_of_[*row[0]].push_back(file);
      counts[*row[0]] += std::stoll(*row[1]);
    }
  }
  static const std::vector<std::string> kRead = {"Patient", "Encounter", "Observation",
                                                 "Medication"};
  for (const auto& [type, count] : counts) {
    const bool is_read = std::ranges::find(kRead, type) != kRead.end() ||
                         std::ranges::any_of(fhir_types(), [&](const FhirType& known) {
                           return type == known.type;
                         });
    if (!is_read) plan_.unread.push_back({type, count});
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
  plan.subject_id = str("fhir_number(", fhir_text(patient), ")");
  plan.key = str("'", type, " ' || (", fhir_text("$.id"), ")");
  return plan;
}

void FhirPlanner::set_time(const std::vector<std::string>& times, PlannedEvent* block) {
  const std::string text = fhir_first_of(times);
  block->time = str("fhir_time(", text, ", true)");
  block->failed = str(text, " IS NOT NULL AND ", block->time, " IS NULL");
  block->wanted =
      str("coalesce(", fhir_text("$.status"), ", ",
          fhir_text("$.verificationStatus.coding[0].code"), ", '') <> 'entered-in-error'");
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
  const std::string birth = str("fhir_time(", fhir_text("$.birthDate"), ", false)");
  plan.blocks.push_back(
      {.name = "Patient/birth", .label = "Patient", .code = "'MEDS_BIRTH'", .time = birth});
  const std::string gender = fhir_text("$.gender");
  plan.blocks.push_back(
      {.name = "Patient/gender",
       .label = "Patient",
       .code = str("'Gender/' || CASE ", gender,
                   " WHEN 'male' THEN 'M' WHEN 'female' THEN 'F' ELSE ", gender, " END"),
       .time = birth});
  const std::string death = str("fhir_time(", fhir_text("$.deceasedDateTime"), ", true)");
  plan.blocks.push_back({.name = "Patient/death",
                         .label = "Patient",
                         .code = "'MEDS_DEATH'",
                         .time = death,
                         .wanted = str(fhir_text("$.deceasedDateTime"), " IS NOT NULL")});
  num_blocks_ += 3;
  plan_.tables.push_back(plan);
}

void FhirPlanner::add_encounter() {
  if (!has("Encounter")) return;
  TablePlan plan = start("Encounter", "Encounter", "$.subject.reference");
  PlannedEvent block{.name = "Encounter", .label = "Encounter"};
  block.code = str("CASE WHEN ", fhir_text("$.class.code"),
                   " IN ('IMP', 'ACUTE', 'NONAC', 'SS') THEN 'Visit/IP' WHEN ",
                   fhir_text("$.class.code"), " = 'EMER' THEN 'Visit/ER' ELSE 'Visit/OP' END");
  set_time({"$.period.start"}, &block);
  block.extras.push_back(
      {"end", ValueType::time, str("fhir_time(", fhir_text("$.period.end"), ", true)")});
  block.extras.push_back(
      {"visit_id", ValueType::integer, str("fhir_number(", fhir_text("$.id"), ")")});
  block.is_visit = true;
  ++num_blocks_;
  plan.blocks.push_back(block);
  plan_.tables.push_back(plan);
}

void FhirPlanner::add_component_values(const std::string& of, PlannedEvent* block) {
  block->numeric_value = str("TRY_CAST(coalesce(", fhir_text("$.valueQuantity.value", of), ", ",
                             fhir_text("$.valueInteger", of), ") AS FLOAT)");
  block->text_value = str("coalesce(", fhir_text("$.valueString", of), ", fhir_display(", of,
                          "->'$.valueCodeableConcept'), ", fhir_text("$.valueBoolean", of), ", ",
                          fhir_text("$.valueDateTime", of), ")");
  block->extras.push_back({"unit", ValueType::text,
                           str("coalesce(", fhir_text("$.valueQuantity.code", of), ", ",
                               fhir_text("$.valueQuantity.unit", of), ")")});
  block->extras.push_back({"visit_id", ValueType::integer,
                           str("fhir_number(", fhir_text("$.encounter.reference"), ")")});
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
  std::string coded = str("r->'", type.code, "'");
  if (type.code == "$.medicationCodeableConcept" && files_of_.contains("Medication")) {
    const TablePlan medication = start("Medication", "Medication", "$.id");
    plan.from += str("\nLEFT JOIN (SELECT r->>'$.id' AS id, any_value(r->'$.code') AS code FROM ",
                     medication.from, " GROUP BY 1) AS m ON m.id = fhir_id(",
                     fhir_text("$.medicationReference.reference"), ")");
    plan.files.insert(plan.files.end(), medication.files.begin(), medication.files.end());
    coded = str("coalesce(", coded, ", m.code)");
  }
  set_code(coded, &block);
  set_time(type.times, &block);
  if (!type.ends.empty())
    block.extras.push_back(
        {"end", ValueType::time, str("fhir_time(", fhir_first_of(type.ends), ", true)")});
  block.extras.push_back(
      {"visit_id", ValueType::integer, str("fhir_number(", fhir_text(type.encounter), ")")});
  ++num_blocks_;
  plan.blocks.push_back(block);
  plan_.tables.push_back(plan);
}

EtlPlan FhirPlanner::plan() {
  plan_.source = "fhir";
  plan_.dataset_name = "FHIR";
  plan_.dataset_version = "R4";
  plan_.macros = fhir_macros();
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
