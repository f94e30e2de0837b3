#include "sequela/etl/messy/operators.h"

#include "sequela/core/error.h"

namespace sequela {
namespace {

bool is_number(SqlType type) {
  return type == SqlType::integer || type == SqlType::real || type == SqlType::boolean;
}

bool is_moment(SqlType type) {
  return type == SqlType::date || type == SqlType::timestamp;
}

}  // namespace

std::string merged_faults(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a + b;
  return str("coalesce(", a, ", false) OR coalesce(", b, ", false)");
}

SqlType unify(std::vector<TypedSql>* values) {
  SqlType type = SqlType::null;
  for (const TypedSql& value : *values) {
    if (value.type == SqlType::null || value.type == type) continue;
    if (type == SqlType::null)
      type = value.type;
    else if (is_number(type) && is_number(value.type))
      type =
          type == SqlType::real || value.type == SqlType::real ? SqlType::real : SqlType::integer;
    else if (is_moment(type) && is_moment(value.type))
      type = SqlType::timestamp;
    else
      type = SqlType::text;
  }
  for (TypedSql& value : *values) {
    if (type == SqlType::text) value.sql = as_text(value);
    if (type == SqlType::timestamp) value = as_timestamp(value);
  }
  return type;
}

TypedSql arithmetic(const std::string& op, const TypedSql& a, const TypedSql& b) {
  const std::string failed = merged_faults(a.failed, b.failed);
  if (op == "+" && a.type == SqlType::text && b.type == SqlType::text)
    return {str("(", a.sql, " || ", b.sql, ")"), SqlType::text, failed};
  if (is_moment(a.type) && is_moment(b.type) && op == "-") {
    return {str("(epoch_us(", as_timestamp(a).sql, ") - epoch_us(", as_timestamp(b).sql, "))"),
            SqlType::duration, failed};
  }
  const bool is_later =
      is_moment(a.type) && b.type == SqlType::duration && (op == "+" || op == "-");
  const bool is_turned = op == "+" && a.type == SqlType::duration && is_moment(b.type);
  if (is_later || is_turned) {
    const TypedSql& moment = is_later ? a : b;
    const std::string sum = str("(", as_timestamp(moment).sql, " ", op, " to_microseconds(",
                                is_later ? b.sql : a.sql, "))");
    // A day and a duration are a day (polars).
    if (moment.type == SqlType::date)
      return {str("CAST(", sum, " AS DATE)"), SqlType::date, failed};
    return {sum, SqlType::timestamp, failed};
  }
  if (a.type == SqlType::duration && b.type == SqlType::duration && (op == "+" || op == "-")) {
    return {str("(", a.sql, " ", op, " ", b.sql, ")"), SqlType::duration, failed};
  }
  const auto numeric = [&](const TypedSql& value) {
    if (is_number(value.type) || value.type == SqlType::null) return value.sql;
    if (value.type == SqlType::text) return str("TRY_CAST(", value.sql, " AS DOUBLE)");
    if (value.type == SqlType::duration) return value.sql;
    throw ConfigError(str("'", op, "' of a date or time and a number has no meaning"));
  };
  const std::string left = numeric(a), right = numeric(b);
  if (op == "**") return {str("pow(", left, ", ", right, ")"), SqlType::real, failed};
  if (op == "/") return {str("(CAST(", left, " AS DOUBLE) / ", right, ")"), SqlType::real, failed};
  const bool is_real = a.type == SqlType::real || b.type == SqlType::real ||
                       a.type == SqlType::text || b.type == SqlType::text;
  const bool is_duration = a.type == SqlType::duration || b.type == SqlType::duration;
  return {str("(", left, " ", op, " ", right, ")"),
          is_duration ? SqlType::duration
          : is_real   ? SqlType::real
                      : SqlType::integer,
          failed};
}

TypedSql comparison(const std::string& op, const TypedSql& a, const TypedSql& b) {
  std::vector<TypedSql> both = {a, b};
  unify(&both);
  return {str("(", both[0].sql, " ",
              op == "=="   ? "="
              : op == "!=" ? "<>"
                           : op,
              " ", both[1].sql, ")"),
          SqlType::boolean, merged_faults(a.failed, b.failed)};
}

}  // namespace sequela
