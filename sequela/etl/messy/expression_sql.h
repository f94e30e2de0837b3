#pragma once

#include <functional>
#include <string>

#include "sequela/etl/messy/expression.h"

namespace sequela {

enum class SqlType { null, text, integer, real, boolean, date, timestamp, duration, time };

// An expression in SQL. A duration is a BIGINT of microseconds.
struct TypedSql {
  std::string sql;
  SqlType type = SqlType::null;
  // BOOLEAN: a conversion that must not fail failed; empty = none is in it.
  std::string failed;
};

// The SQL of a column and its type; throws ConfigError if there is none of that name.
using ColumnSql = std::function<TypedSql(const std::string& column)>;

// What polars makes of the expression, in DuckDB's SQL. Differences: hash() is another one, text
// and numbers are compared as text, and a conversion that fails is null and told in `failed`.
// Throws ConfigError for what has no meaning: an unknown function or type, text times two.
TypedSql to_sql(const MessyExpression& expression, const ColumnSql& column);

// The same as VARCHAR, as polars prints it.
std::string as_text(const TypedSql& value);
// As TIMESTAMP; ConfigError if it is no date or time.
TypedSql as_timestamp(const TypedSql& value);

// The type of a strptime format, and the format as DuckDB has it.
struct TimeFormat {
  SqlType type;
  std::string format;
};
TimeFormat parse_time_format(const std::string& format);

}  // namespace sequela
