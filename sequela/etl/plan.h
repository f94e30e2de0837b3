#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sequela {

// What a source becomes before anything is read: SQL of DuckDB's for every table and kind of event.
// `sequela etl --explain` prints it.

enum class ValueType { integer, real, text, time, boolean };

// BIGINT, DOUBLE, VARCHAR, TIMESTAMP, BOOLEAN.
const char* sql_type(ValueType type);

// BIGINT: the whole number that a column of DuckDB's `type` says, null for anything else. Its own
// cast takes 1_0 for 10 and 1.6 for 2, which makes one subject of two.
std::string whole_number(const std::string& sql, const std::string& type);

// A column beside MEDS' own that events of a kind have.
struct PlanColumn {
  std::string name;
  ValueType type = ValueType::text;
  std::string sql;  // of its type
};

// One kind of event: each row of its table gives one, unless something of it is null. All SQL is
// over the columns of the table's `from`.
struct PlannedEvent {
  std::string name;           // "hosp/admissions/discharge"; distinct in a plan
  std::string label;          // what the block column says
  std::string code;           // VARCHAR
  std::string time;           // TIMESTAMP; empty = static
  std::string numeric_value;  // FLOAT; empty = none
  std::string text_value;     // VARCHAR; empty = none
  std::string wanted;         // BOOLEAN: the rows that are to give one; empty = all
  std::string failed;         // BOOLEAN: a conversion failed that must not; empty = never
  std::string components;     // VARCHAR that goes to CodePlan with the code; empty = none
  std::vector<PlanColumn> extras;
  bool is_visit = false;  // from its time to its extra "end"
};

struct TablePlan {
  std::string name;                // "hosp/admissions"
  std::vector<std::string> files;  // that it is read from, also those joined to it
  std::string from;                // what stands behind FROM
  std::string subject_id;          // BIGINT
  std::string key = "NULL";        // VARCHAR that finds a row again; never its values or text
  std::vector<PlannedEvent> blocks;
};

// Where codes' descriptions and parents come from: a SELECT of code, description (both VARCHAR),
// parents (VARCHAR, several rows for several parents; null = none), over the table
// etl_codes(block, code, components). Rows may repeat.
struct CodePlan {
  std::string name;  // of what it reads
  std::vector<std::string> files;
  std::string select;
};

struct EtlPlan {
  std::string source;  // "omop"
  std::string dataset_name, dataset_version;
  std::vector<std::string> macros;  // statements to run first
  std::vector<TablePlan> tables;
  std::vector<CodePlan> codes;
  bool drops_duplicates = false;       // events equal in every column are one
  std::string block_column = "table";  // the column that names an event's block
  std::vector<std::string> missing;    // tables that the source may have and this one lacks
  std::vector<std::pair<std::string, int64_t>> unread;  // what it has and is not read: rows
};

// The SELECT whose rows are read: subject_id, key, then for each block the columns that
// block_columns() counts, in the order of PlannedEvent's fields.
std::string select_of(const TablePlan& table);

// The whole plan as SQL with comments.
std::string explain(const EtlPlan& plan);
// A text that is the same for two plans that make the same of the same files, wherever their folder
// lies: the SQL, and the names that do not stand in it.
std::string identity_of(const EtlPlan& plan, const std::string& folder);
// Of one table's SQL and names.
std::string identity_of(const TablePlan& table);
// The same text wherever the folder of the raw tables lies.
std::string without_folder(std::string sql, const std::string& folder);

}  // namespace sequela
