#include "sequela/etl/messy/expression_sql.h"

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"
#include "sequela/etl/duckdb.h"
#include "sequela/etl/messy/casts.h"
#include "sequela/etl/messy/operators.h"

namespace sequela {
namespace {

using Kind = MessyExpression::Kind;

class Compiler {
 public:
  explicit Compiler(const ColumnSql& column) : column_(column) {}

  TypedSql compile(const MessyExpression& e);

 private:
  TypedSql binary(const MessyExpression& e);
  TypedSql unary(const MessyExpression& e);
  TypedSql conditional(const MessyExpression& e);
  TypedSql interpolate(const MessyExpression& e);
  TypedSql slice(const MessyExpression& e);
  TypedSql call(const MessyExpression& e);
  TypedSql call_over(const std::string& name, std::vector<TypedSql> args);
  TypedSql set_time(const TypedSql& moment, const TypedSql& time);
  std::string bound(const MessyExpression& e);
  TypedSql regex(const MessyExpression& e);

  const ColumnSql& column_;
};

TypedSql Compiler::binary(const MessyExpression& e) {
  const TypedSql a = compile(e.args[0]), b = compile(e.args[1]);
  if (e.text == "and" || e.text == "or") {
    return {str("(", a.sql, e.text == "and" ? " AND " : " OR ", b.sql, ")"), SqlType::boolean,
            merged_faults(a.failed, b.failed)};
  }
  const bool is_arithmetic = e.text.find_first_of("+-*/") != std::string::npos;
  return is_arithmetic ? arithmetic(e.text, a, b) : comparison(e.text, a, b);
}

TypedSql Compiler::unary(const MessyExpression& e) {
  const TypedSql value = compile(e.args[0]);
  if (e.text == "not") return {str("(NOT ", value.sql, ")"), SqlType::boolean, value.failed};
  if (e.text == "+") return value;
  return {str("(-", value.sql, ")"), value.type, value.failed};
}

TypedSql Compiler::conditional(const MessyExpression& e) {
  const TypedSql condition = compile(e.args[1]);
  std::vector<TypedSql> values = {compile(e.args[0])};
  values.push_back(e.args.size() > 2 ? compile(e.args[2]) : TypedSql{"NULL", SqlType::null, ""});
  const SqlType type = unify(&values);
  return {
      str("CASE WHEN ", condition.sql, " THEN ", values[0].sql, " ELSE ", values[1].sql, " END"),
      type, merged_faults(condition.failed, merged_faults(values[0].failed, values[1].failed))};
}

TypedSql Compiler::interpolate(const MessyExpression& e) {
  TypedSql all{"(", SqlType::text, ""};
  for (const MessyExpression& part : e.args) {
    const TypedSql value = compile(part);
    all.sql += str(all.sql.size() > 1 ? " || " : "", as_text(value));
    all.failed = merged_faults(all.failed, value.failed);
  }
  all.sql += ")";
  return all;
}

std::string Compiler::bound(const MessyExpression& e) {
  const TypedSql value = compile(e);
  if (value.type != SqlType::integer)
    throw ConfigError("the bounds of a [start:stop] must be whole numbers");
  return value.sql;
}

// Python's [start:stop] is DuckDB's [start + 1:stop], and from the end [-3:-1] is [-3:-2].
TypedSql Compiler::slice(const MessyExpression& e) {
  const TypedSql value = compile(e.args[0]);
  std::string from = "1", to = str("length(", as_text(value), ")");
  if (e.args[1].kind != Kind::null) {
    const std::string start = bound(e.args[1]);
    from = str("CASE WHEN ", start, " < 0 THEN ", start, " ELSE ", start, " + 1 END");
  }
  if (e.args[2].kind != Kind::null) {
    const std::string stop = bound(e.args[2]);
    to = str("CASE WHEN ", stop, " < 0 THEN ", stop, " - 1 ELSE ", stop, " END");
  }
  return {str("array_slice(", as_text(value), ", ", from, ", ", to, ")"), SqlType::text,
          value.failed};
}

TypedSql Compiler::regex(const MessyExpression& e) {
  const TypedSql value = compile(e.args[0]);
  const std::string pattern = sql_text(e.text), text = as_text(value);
  const std::string matches = str("regexp_matches(", text, ", ", pattern, ")");
  if (e.kind == Kind::match) return {matches, SqlType::boolean, value.failed};
  return {str("CASE WHEN ", matches, " THEN regexp_extract(", text, ", ", pattern, ", ", e.group,
              ") END"),
          SqlType::text, value.failed};
}

TypedSql Compiler::set_time(const TypedSql& moment, const TypedSql& time) {
  return {str("(CAST(CAST(", as_timestamp(moment).sql,
              " AS DATE) AS TIMESTAMP) + to_microseconds(epoch_us(", time.sql, ")))"),
          SqlType::timestamp, merged_faults(moment.failed, time.failed)};
}

TypedSql Compiler::call_over(const std::string& name, std::vector<TypedSql> args) {
  std::string failed, list;
  for (const TypedSql& arg : args) failed = merged_faults(failed, arg.failed);
  const SqlType type = unify(&args);
  for (const TypedSql& arg : args) list += str(list.empty() ? "" : ", ", arg.sql);
  if (name == "coalesce") return {str("coalesce(", list, ")"), type, failed};
  if (name == "min") return {str("least(", list, ")"), type, failed};
  if (name == "max") return {str("greatest(", list, ")"), type, failed};
  return {str("list_avg([", list, "])"), SqlType::real, failed};
}

TypedSql Compiler::call(const MessyExpression& e) {
  static const std::vector<std::string> kNames = {"coalesce",  "min",       "max",
                                                  "mean",      "hash",      "signed_hash",
                                                  "len_chars", "substring", "set_time"};
  std::vector<TypedSql> args;
  for (const MessyExpression& arg : e.args) args.push_back(compile(arg));
  const auto need = [&](size_t least, size_t most) {
    if (args.size() < least || args.size() > most)
      throw ConfigError(str(e.text, "() has ", args.size(), " arguments, which it cannot take"));
  };
  if (e.text == "coalesce" || e.text == "min" || e.text == "max" || e.text == "mean") {
    need(1, 64);
    return call_over(e.text, std::move(args));
  }
  if (e.text == "hash" || e.text == "signed_hash") {
    need(1, 1);
    return {str("CAST(md5_number_lower(", as_text(args[0]), ") & 9223372036854775807 AS BIGINT)"),
            SqlType::integer, args[0].failed};
  }
  if (e.text == "len_chars") {
    need(1, 1);
    return {str("length(", as_text(args[0]), ")"), SqlType::integer, args[0].failed};
  }
  if (e.text == "substring") {
    need(2, 3);
    MessyExpression sliced{Kind::slice, "", e.args};
    if (sliced.args.size() == 2) sliced.args.emplace_back();
    return slice(sliced);
  }
  if (e.text == "set_time") {
    need(2, 2);
    return set_time(args[0], args[1]);
  }
  if (const auto value = moment_part(e.text.starts_with("dt_") ? e.text.substr(3) : "", args))
    return *value;
  throw ConfigError(str("there is no function '", e.text, "'", did_you_mean(e.text, kNames)));
}

TypedSql Compiler::compile(const MessyExpression& e) {
  switch (e.kind) {
    case Kind::null:
      return {"NULL", SqlType::null, ""};
    case Kind::text:
      return {sql_text(e.text), SqlType::text, ""};
    case Kind::integer:
      return {str("CAST(", e.text, " AS BIGINT)"), SqlType::integer, ""};
    case Kind::real:
      return {str("CAST(", e.text, " AS DOUBLE)"), SqlType::real, ""};
    case Kind::boolean:
      return {e.text, SqlType::boolean, ""};
    case Kind::date:
      return {str("DATE ", sql_text(e.text)), SqlType::date, ""};
    case Kind::datetime:
      return {str("TIMESTAMP ", sql_text(e.text)), SqlType::timestamp, ""};
    case Kind::time:
      return {str("TIME ", sql_text(e.text)), SqlType::time, ""};
    case Kind::column:
      return column_(e.text);
    case Kind::call:
      return call(e);
    case Kind::binary:
      return binary(e);
    case Kind::unary:
      return unary(e);
    case Kind::conditional:
      return conditional(e);
    case Kind::cast:
      return cast_to(compile(e.args[0]), e.text, e.is_lenient);
    case Kind::strptime:
      return parse_time(compile(e.args[0]), e.text, e.is_lenient);
    case Kind::interpolate:
      return interpolate(e);
    case Kind::extract:
    case Kind::match:
      return regex(e);
    case Kind::slice:
      return slice(e);
  }
  return {};
}

}  // namespace

TypedSql to_sql(const MessyExpression& expression, const ColumnSql& column) {
  return Compiler(column).compile(expression);
}

}  // namespace sequela
