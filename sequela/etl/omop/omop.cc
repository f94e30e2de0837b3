#include "sequela/etl/omop/omop.h"

#include <optional>

#include "sequela/core/error.h"
#include "sequela/etl/omop/omop_codes.h"
#include "sequela/etl/omop/omop_sql.h"
#include "sequela/etl/omop/omop_tables.h"
#include "sequela/etl/source_table.h"

namespace sequela {
namespace {

class OmopPlanner {
 public:
  OmopPlanner(DuckDb& db, const std::string& folder) : db_(db), folder_(folder) {}
  EtlPlan plan();

 private:
  void plan_concepts();
  void plan_person();
  void plan_death();
  void plan_clinical(const OmopTable& kind);
  void name_data_set();
  // A table whose rows have a person; nothing if it is missing, which is noted.
  std::optional<SourceTable> open(const std::string& name);
  TablePlan start(const SourceTable& table);
  // The code of <prefix>_concept_id; joins what that needs to the plan.
  std::string code(const SourceTable& table, const std::string& prefix, const std::string& fallback,
                   TablePlan* plan);
  void add_values(const SourceTable& table, const OmopTable& kind, PlannedEvent* block);
  void add_extras(const SourceTable& table, const OmopTable& kind, TablePlan* plan,
                  PlannedEvent* block);
  void add_discharge(const SourceTable& table, const OmopTable& kind, TablePlan* plan);
  std::string join_concept(const std::string& id, TablePlan* plan);

  DuckDb& db_;
  const std::string folder_;
  std::optional<SourceTable> concepts_;
  EtlPlan plan_;
  int num_joins_ = 0;
};

std::optional<SourceTable> OmopPlanner::open(const std::string& name) {
  auto table = find_table(db_, folder_, name);
  if (!table) plan_.missing.push_back(name);
  return table;
}

TablePlan OmopPlanner::start(const SourceTable& table) {
  const SourceColumn* person = table.find("person_id");
  if (person == nullptr) {
    throw DataError({.path = table.files[0], .column = "person_id"}, "there is no such column",
                    "export the table as the CDM has it");
  }
  TablePlan plan{.name = table.name, .files = table.files};
  if (concepts_)
    plan.files.insert(plan.files.end(), concepts_->files.begin(), concepts_->files.end());
  plan.from = table.scan + " AS t";
  plan.subject_id = whole_number("t.person_id", person->type);
  const std::string id = table.name + "_id";
  if (table.has(id)) plan.key = str("'", id, " ' || t.", sql_name(id));
  num_joins_ = 0;
  return plan;
}

void OmopPlanner::plan_concepts() {
  concepts_ = find_table(db_, folder_, "concept");
  if (concepts_) {
    plan_.macros.push_back(
        "CREATE OR REPLACE TEMP TABLE etl_concept AS SELECT TRY_CAST(concept_id AS BIGINT) AS "
        "id,\n"
        "  any_value(vocabulary_id || '/' || concept_code) AS code, any_value(concept_name) AS "
        "name\n"
        "FROM " +
        concepts_->scan + " WHERE TRY_CAST(concept_id AS BIGINT) <> 0 GROUP BY 1");
  } else {
    plan_.missing.push_back("concept");
    plan_.macros.push_back(
        "CREATE OR REPLACE TEMP TABLE etl_concept(id BIGINT, code VARCHAR, name VARCHAR)");
  }
}

std::string OmopPlanner::join_concept(const std::string& id, TablePlan* plan) {
  const std::string alias = str("c", num_joins_++);
  plan->from += str("\nLEFT JOIN etl_concept AS ", alias, " ON ", alias, ".id = ", id);
  return alias + ".code";
}

std::string OmopPlanner::code(const SourceTable& table, const std::string& prefix,
                              const std::string& fallback, TablePlan* plan) {
  const std::string id = omop_id(table, prefix + "_concept_id");
  std::string code = "coalesce(";
  std::string source_id;
  if (table.has(prefix + "_source_concept_id")) {
    source_id = omop_id(table, prefix + "_source_concept_id");
    code += join_concept(source_id, plan) + ", ";
  }
  code += join_concept(id, plan) + ", " + omop_fixed_code(id);
  if (!source_id.empty()) code += ", " + omop_fixed_code(source_id);
  if (!fallback.empty()) {
    code += ", " + sql_text(fallback);
  } else if (table.has(prefix + "_source_value")) {
    code += ", " + sql_text("SOURCE/" + prefix + "/") + " || nullif(trim(" +
            omop_text(table, prefix + "_source_value") + "), '')";
  }
  return code + ")";
}

void OmopPlanner::plan_person() {
  const auto table = open("person");
  if (!table) {
    throw DataError(
        {.path = folder_},
        "there is no table person here (person.csv, PERSON.csv.gz, person.parquet, ...)",
        "name the folder that holds the OMOP tables");
  }
  TablePlan plan = start(*table);
  const std::string year = omop_id(*table, "year_of_birth"),
                    month = omop_id(*table, "month_of_birth"),
                    day = omop_id(*table, "day_of_birth");
  const std::string given = omop_time(*table, {"birth_datetime"}, DateMeans::start_of_day);
  const std::string birth =
      str("coalesce(", given, ", CAST(TRY_CAST(printf('%04d-%02d-%02d', ", year, ", coalesce(",
          month, ", 1), coalesce(", day, ", 1)) AS DATE) AS TIMESTAMP))");
  plan.blocks.push_back(
      {.name = "person/birth", .label = "person", .code = "'MEDS_BIRTH'", .time = birth});
  for (const char* what : {"gender", "race", "ethnicity"}) {
    const std::string prefix = what;
    if (!table->has(prefix + "_concept_id")) continue;
    PlannedEvent block{.name = "person/" + prefix,
                       .label = "person",
                       .code = code(*table, prefix, "", &plan),
                       .time = birth};
    block.wanted = str(block.code, " IS NOT NULL");
    plan.blocks.push_back(block);
  }
  plan_.tables.push_back(plan);
}

void OmopPlanner::plan_death() {
  const auto table = open("death");
  if (!table) return;
  TablePlan plan = start(*table);
  const std::vector<std::string> times = {"death_datetime", "death_date"};
  PlannedEvent block{.name = "death",
                     .label = "death",
                     .code = "'MEDS_DEATH'",
                     .time = omop_time(*table, times, DateMeans::end_of_day)};
  block.failed = omop_time_failed(*table, times, block.time);
  plan.blocks.push_back(block);
  plan_.tables.push_back(plan);
}

void OmopPlanner::add_values(const SourceTable& table, const OmopTable& kind, PlannedEvent* block) {
  if (kind.number[0] == '\0' && kind.text[0] == '\0') return;
  std::string value = "coalesce(";
  if (kind.number[0] != '\0') value += omop_text(table, kind.number) + ", ";
  value += omop_text(table, kind.text);
  const std::string prefix = kind.concept_prefix;
  if (table.has("value_as_concept_id")) {
    const std::string of_concept = omop_id(table, "value_as_concept_id");
    value += str(", CASE WHEN ", of_concept, " IS NOT NULL THEN CASE WHEN ",
                 omop_id(table, prefix + "_source_concept_id"), " IS NULL THEN 'SOURCE_CODE/' || ",
                 omop_text(table, prefix + "_source_value"), " ELSE 'OMOP_CONCEPT_ID/' || ",
                 of_concept, " END END");
  }
  value += ")";
  block->numeric_value = str("TRY_CAST(", value, " AS FLOAT)");
  block->text_value = str("CASE WHEN TRY_CAST(", value, " AS FLOAT) IS NULL THEN ", value, " END");
}

void OmopPlanner::add_extras(const SourceTable& table, const OmopTable& kind, TablePlan* plan,
                             PlannedEvent* block) {
  if (!kind.ends.empty() && !table.first_of(kind.ends).empty()) {
    block->extras.push_back(
        {"end", ValueType::time, omop_time(table, kind.ends, DateMeans::end_of_day)});
  }
  if (table.has("note_id"))
    block->extras.push_back({"note_id", ValueType::integer, omop_id(table, "note_id")});
  if (table.has("unit_concept_id") || table.has("unit_source_value")) {
    std::string unit = omop_text(table, "unit_source_value");
    if (table.has("unit_concept_id")) {
      const std::string of_concept = join_concept(omop_id(table, "unit_concept_id"), plan);
      unit = str("coalesce(", unit, ", CASE WHEN starts_with(", of_concept,
                 ", 'UCUM/') THEN substr(", of_concept, ", 6) ELSE ", of_concept, " END)");
    }
    block->extras.push_back({"unit", ValueType::text, unit});
  }
  if (table.has("visit_occurrence_id")) {
    block->extras.push_back(
        {"visit_id", ValueType::integer, omop_id(table, "visit_occurrence_id")});
  }
}

void OmopPlanner::add_discharge(const SourceTable& table, const OmopTable& kind, TablePlan* plan) {
  const std::string column =
      table.first_of({"discharged_to_concept_id", "discharge_to_concept_id"});
  if (column.empty()) return;
  const std::string prefix = column.substr(0, column.size() - std::string("_concept_id").size());
  const std::string id = omop_id(table, column);
  PlannedEvent block{
      .name = "visit/discharge",
      .label = "visit",
      .code = str("coalesce(", join_concept(id, plan), ", ", omop_fixed_code(id), ")"),
      .time = omop_time(table, kind.ends, DateMeans::end_of_day),
      .wanted = id + " IS NOT NULL"};
  add_extras(table, kind, plan, &block);
  plan->blocks.push_back(block);
}

void OmopPlanner::plan_clinical(const OmopTable& kind) {
  const auto table = open(kind.table);
  if (!table) return;
  TablePlan plan = start(*table);
  PlannedEvent block{.name = kind.label, .label = kind.label};
  block.code = code(*table, kind.concept_prefix, kind.fallback, &plan);
  block.time = omop_time(*table, kind.times, DateMeans::end_of_day);
  block.failed = omop_time_failed(*table, kind.times, block.time);
  block.is_visit = block.name == "visit";
  add_values(*table, kind, &block);
  add_extras(*table, kind, &plan, &block);
  plan.blocks.push_back(block);
  if (block.is_visit) add_discharge(*table, kind, &plan);
  plan_.tables.push_back(plan);
}

void OmopPlanner::name_data_set() {
  plan_.dataset_name = "OMOP";
  plan_.dataset_version = "unknown";
  const auto table = find_table(db_, folder_, "cdm_source");
  if (!table) return;
  const auto rows = db_.texts(str("SELECT string_agg(", omop_text(*table, "cdm_source_name"),
                                  ", '|'), string_agg(", omop_text(*table, "cdm_release_date"),
                                  ", '|') FROM ", table->scan, " AS t"));
  if (rows[0][0]) plan_.dataset_name = *rows[0][0];
  if (rows[0][1]) plan_.dataset_version = *rows[0][1];
}

EtlPlan OmopPlanner::plan() {
  plan_.source = "omop";
  plan_.macros.push_back(omop_macro());
  plan_concepts();
  plan_person();
  for (const OmopTable& kind : omop_clinical_tables()) plan_clinical(kind);
  plan_death();
  name_data_set();
  add_omop_codes(db_, folder_, concepts_, &plan_);
  return plan_;
}

}  // namespace

EtlPlan plan_omop(DuckDb& db, const std::string& folder) {
  return OmopPlanner(db, folder).plan();
}

}  // namespace sequela
