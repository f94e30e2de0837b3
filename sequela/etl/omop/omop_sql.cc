#include "sequela/etl/omop/omop_sql.h"

#include "sequela/core/error.h"

namespace sequela {
namespace {

std::string column_of(const SourceTable& table, const std::string& column) {
  return "t." + sql_name(table.find(column)->name);
}

std::string time_of(const SourceTable& table, const std::string& name, DateMeans means) {
  const std::string column = column_of(table, name);
  const std::string& type = table.find(name)->type;
  const bool is_end = means == DateMeans::end_of_day;
  if (type == "DATE") {
    return is_end ? str("(CAST(", column, " AS TIMESTAMP) + INTERVAL 86399 SECOND)")
                  : str("CAST(", column, " AS TIMESTAMP)");
  }
  if (type.starts_with("TIMESTAMP")) return str("CAST(", column, " AS TIMESTAMP)");
  return str("etl_time(CAST(", column, " AS VARCHAR), ", is_end ? "86399" : "0", ")");
}

std::string coalesced(const std::vector<std::string>& parts) {
  if (parts.empty()) return "NULL";
  if (parts.size() == 1) return parts[0];
  std::string sql = "coalesce(";
  for (const std::string& part : parts) sql += (sql.back() == '(' ? "" : ", ") + part;
  return sql + ")";
}

}  // namespace

std::string omop_id(const SourceTable& table, const std::string& column) {
  if (!table.has(column)) return "NULL::BIGINT";
  return str("nullif(TRY_CAST(", column_of(table, column), " AS BIGINT), 0)");
}

std::string omop_text(const SourceTable& table, const std::string& column) {
  if (!table.has(column)) return "NULL::VARCHAR";
  return str("CAST(", column_of(table, column), " AS VARCHAR)");
}

std::string omop_time(const SourceTable& table, const std::vector<std::string>& columns,
                      DateMeans means) {
  std::vector<std::string> parts;
  for (const std::string& name : columns) {
    if (table.has(name)) parts.push_back(time_of(table, name, means));
  }
  return coalesced(parts);
}

std::string omop_time_failed(const SourceTable& table, const std::vector<std::string>& columns,
                             const std::string& time) {
  std::string any;
  for (const std::string& name : columns) {
    if (table.has(name))
      any += str(any.empty() ? "" : " OR ", column_of(table, name), " IS NOT NULL");
  }
  return any.empty() ? "" : str("(", any, ") AND ", time, " IS NULL");
}

std::string omop_fixed_code(const std::string& id) {
  return str("CASE ", id,
             " WHEN 8507 THEN 'Gender/M' WHEN 8532 THEN 'Gender/F'"
             " WHEN 8657 THEN 'Race/1' WHEN 8515 THEN 'Race/2' WHEN 8516 THEN 'Race/3'"
             " WHEN 8557 THEN 'Race/4' WHEN 8527 THEN 'Race/5'"
             " WHEN 38003563 THEN 'Ethnicity/Hispanic' WHEN 38003564 THEN 'Ethnicity/Not Hispanic'"
             " WHEN 9201 THEN 'Visit/IP' WHEN 9202 THEN 'Visit/OP' WHEN 9203 THEN 'Visit/ER'"
             " WHEN 262 THEN 'Visit/ERIP' WHEN 42898160 THEN 'Visit/LTCP'"
             " ELSE 'OMOP_CONCEPT_ID/' || ",
             id, " END");
}

std::string omop_macro() {
  return "CREATE OR REPLACE TEMP MACRO etl_time(x, date_seconds) AS CASE WHEN length(trim(x)) <= "
         "10\n"
         "  THEN coalesce(TRY_CAST(trim(x) AS DATE), CAST(try_strptime(trim(x), '%Y%m%d') AS "
         "DATE)) + "
         "to_seconds(date_seconds)\n"
         "  ELSE coalesce(TRY_CAST(trim(x) AS TIMESTAMP), try_strptime(trim(x), '%Y%m%d "
         "%H:%M:%S')) END";
}

}  // namespace sequela
