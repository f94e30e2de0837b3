#include "sequela/etl/plan.h"

#include "sequela/core/error.h"

namespace sequela {
namespace {

void add(std::string* select, const std::string& sql, const char* type) {
  if (!sql.empty()) *select += str(",\n  CAST(", sql, " AS ", type, ")");
}

}  // namespace

const char* sql_type(ValueType type) {
  switch (type) {
    case ValueType::integer:
      return "BIGINT";
    case ValueType::real:
      return "DOUBLE";
    case ValueType::text:
      return "VARCHAR";
    case ValueType::time:
      return "TIMESTAMP";
    case ValueType::boolean:
      return "BOOLEAN";
  }
  return "";
}

std::string whole_number(const std::string& sql, const std::string& type) {
  if (type == "INTEGER" || type.ends_with("INT")) return str("TRY_CAST(", sql, " AS BIGINT)");
  const std::string text = str("CAST(", sql, " AS VARCHAR)");
  return str("TRY_CAST(CASE WHEN regexp_full_match(", text, ", ' *[+-]?[0-9]+([.]0*)? *') THEN ",
             text, " END AS BIGINT)");
}

std::string select_of(const TablePlan& table) {
  std::string select = "SELECT";
  select += str("\n  ", table.subject_id);
  add(&select, table.key, "VARCHAR");
  for (const PlannedEvent& block : table.blocks) {
    add(&select, block.code, "VARCHAR");
    add(&select, block.time, "TIMESTAMP");
    add(&select, block.numeric_value, "FLOAT");
    add(&select, block.text_value, "VARCHAR");
    add(&select, block.wanted, "BOOLEAN");
    add(&select, block.failed, "BOOLEAN");
    add(&select, block.components, "VARCHAR");
    for (const PlanColumn& extra : block.extras) add(&select, extra.sql, sql_type(extra.type));
  }
  return str(select, "\nFROM ", table.from);
}

std::string explain(const EtlPlan& plan) {
  std::string text;
  for (const std::string& macro : plan.macros) text += macro + ";\n\n";
  for (const TablePlan& table : plan.tables) {
    text += "-- " + table.name + ":";
    for (const PlannedEvent& block : table.blocks) text += " " + block.name;
    text += str("\n", select_of(table), ";\n\n");
  }
  for (const CodePlan& codes : plan.codes) {
    text += "-- descriptions and parents: " + codes.name + "\n" + codes.select + ";\n\n";
  }
  return text;
}

std::string identity_of(const TablePlan& table) {
  std::string text = select_of(table);
  for (const PlannedEvent& block : table.blocks) {
    text += str("\n", block.name, " ", block.label, block.is_visit ? " visit" : "");
    for (const PlanColumn& extra : block.extras) text += "\n  " + extra.name;
  }
  return text;
}

std::string identity_of(const EtlPlan& plan, const std::string& folder) {
  std::string text = explain(plan);
  for (const TablePlan& table : plan.tables) text += identity_of(table) + "\n";
  text += str(plan.dataset_name, "\n", plan.dataset_version, "\n", plan.block_column, "\n",
              plan.drops_duplicates);
  return without_folder(text, folder);
}

std::string without_folder(std::string sql, const std::string& folder) {
  for (size_t at = 0; !folder.empty() && (at = sql.find(folder, at)) != std::string::npos;) {
    sql.erase(at, folder.size());
  }
  return sql;
}

}  // namespace sequela
