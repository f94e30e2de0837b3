#include "sequela/etl/messy/frame.h"

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"

namespace sequela {
namespace {

SqlType type_of(const std::string& duckdb) {
  if (duckdb == "VARCHAR" || duckdb == "BLOB" || duckdb.starts_with("ENUM")) return SqlType::text;
  if (duckdb == "BOOLEAN") return SqlType::boolean;
  if (duckdb == "DATE") return SqlType::date;
  if (duckdb == "TIME") return SqlType::time;
  if (duckdb.starts_with("TIMESTAMP")) return SqlType::timestamp;
  if (duckdb == "DOUBLE" || duckdb == "FLOAT" || duckdb.starts_with("DECIMAL"))
    return SqlType::real;
  return duckdb.ends_with("INT") || duckdb == "INTEGER" || duckdb == "BIGINT" ? SqlType::integer
                                                                              : SqlType::text;
}

TypedSql typed(const std::string& column, const std::string& type) {
  if (type == "integer") return {str("TRY_CAST(", column, " AS BIGINT)"), SqlType::integer, ""};
  if (type == "real") return {str("TRY_CAST(", column, " AS DOUBLE)"), SqlType::real, ""};
  if (type == "boolean") return {str("(lower(", column, ") = 'true')"), SqlType::boolean, ""};
  return {column, SqlType::text, ""};
}

// What polars' CSV reader makes of a whole column
// (crates/polars-io/src/csv/read/schema_inference.rs).
std::string type_query(const std::string& column) {
  const auto all = [&](const char* pattern) {
    return str("bool_and(regexp_full_match(", column, ", '", pattern, "'))");
  };
  return str("CASE WHEN count(", column, ") = 0 THEN 'text' WHEN ", all("\\s*-?[0-9]+"),
             " AND bool_and(TRY_CAST(", column, " AS BIGINT) IS NOT NULL OR ", column,
             " IS NULL) THEN 'integer' WHEN ",
             all("\\s*-?([0-9]+|[0-9]*\\.[0-9]+([eE][-+]?[0-9]+)?|inf|NaN|[0-9]+[eE][-+]?[0-9]+|[0-"
                 "9]+\\.)"),
             " THEN 'real' WHEN bool_and(lower(", column,
             ") IN ('true', 'false')) THEN 'boolean' ELSE 'text' END");
}

}  // namespace

Frame::Frame(DuckDb& db, const SourceTable& table, const std::string& alias,
             const std::vector<std::string>& wanted, ColumnTyping typing)
    : table_(&table), alias_(alias) {
  std::vector<std::string> asked;
  std::string query;
  for (const std::string& name : wanted) {
    const SourceColumn* column = table.find(name);
    if (column == nullptr) continue;
    const std::string sql = alias + "." + sql_name(column->name);
    const SqlType type = type_of(column->type);
    columns_[name] = {sql, type, ""};
    if (type == SqlType::text && column->type != "VARCHAR")
      columns_[name].sql = str("CAST(", sql, " AS VARCHAR)");
    if (type == SqlType::timestamp && column->type != "TIMESTAMP")
      columns_[name].sql = str("CAST(", sql, " AS TIMESTAMP)");
    if (type != SqlType::text || typing != ColumnTyping::inferred || table.is_typed) continue;
    asked.push_back(name);
    query += (query.empty() ? "SELECT " : ", ") + type_query(sql);
  }
  if (asked.empty()) return;
  const auto types = db.texts(str(query, " FROM ", table.scan, " AS ", alias));
  for (size_t i = 0; i < asked.size(); ++i)
    columns_[asked[i]] = typed(columns_[asked[i]].sql, *types[0][i]);
}

bool Frame::has(const std::string& name) const {
  return columns_.contains(name) || table_->has(name);
}

TypedSql Frame::find(const std::string& name) const {
  const auto found = columns_.find(name);
  if (found != columns_.end()) return found->second;
  std::vector<std::string> known = table_->column_names();
  for (const auto& [column, sql] : columns_) known.push_back(column);
  std::string suggestion = did_you_mean(name, known);
  if (suggestion.empty()) {
    suggestion = "; it has ";
    for (size_t i = 0; i < known.size() && i < 12; ++i)
      suggestion += str(i == 0 ? "" : ", ", known[i]);
    if (known.size() > 12) suggestion += ", ...";
  }
  throw ConfigError(str("the table ", table_->name, " has no column '", name, "'", suggestion));
}

TypedSql Frame::compile(const MessyValue& value, const std::string& path) const {
  try {
    return to_sql(value.expression, [this](const std::string& name) { return find(name); });
  } catch (const ConfigError& error) {
    throw ConfigError(str(path, ": line ", value.line, ": ", value.name, ": ", error.what()));
  }
}

}  // namespace sequela
