#include "sequela/etl/messy/casts.h"

#include <map>

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"
#include "sequela/etl/duckdb.h"

namespace sequela {
namespace {

// Microseconds; months and years are of 365.25 days a year, as dftly has them.
const std::map<std::string, double>& durations() {
  static const std::map<std::string, double> units = {
      {"nanoseconds", 1e-3}, {"microseconds", 1},  {"milliseconds", 1e3}, {"seconds", 1e6},
      {"minutes", 6e7},      {"hours", 3.6e9},     {"days", 8.64e10},     {"weeks", 6.048e11},
      {"months", 2.6298e12}, {"years", 3.15576e13}};
  return units;
}

// DuckDB's names of a time's parts.
const std::map<std::string, std::string>& parts() {
  static const std::map<std::string, std::string> names = {
      {"year", "year"},         {"year_of_date", "year"},      {"month_of_year", "month"},
      {"day_of_month", "day"},  {"day_of_week", "isodow"},     {"day_of_year", "dayofyear"},
      {"hour_of_day", "hour"},  {"minute_of_hour", "minute"},  {"second_of_minute", "second"},
      {"week_of_year", "week"}, {"quarter_of_year", "quarter"}};
  return names;
}

const std::map<std::string, SqlType>& types() {
  static const std::map<std::string, SqlType> names = {
      {"int", SqlType::integer},    {"integer", SqlType::integer},
      {"int8", SqlType::integer},   {"int16", SqlType::integer},
      {"int32", SqlType::integer},  {"int64", SqlType::integer},
      {"int128", SqlType::integer}, {"long", SqlType::integer},
      {"uint", SqlType::integer},   {"uint8", SqlType::integer},
      {"uint16", SqlType::integer}, {"uint32", SqlType::integer},
      {"uint64", SqlType::integer}, {"float", SqlType::real},
      {"float32", SqlType::real},   {"float64", SqlType::real},
      {"double", SqlType::real},    {"str", SqlType::text},
      {"string", SqlType::text},    {"utf8", SqlType::text},
      {"bool", SqlType::boolean},   {"boolean", SqlType::boolean},
      {"date", SqlType::date},      {"datetime", SqlType::timestamp},
      {"time", SqlType::time}};
  return names;
}

std::string failed_of(const TypedSql& from, const std::string& sql, bool is_lenient) {
  if (is_lenient) return from.failed;
  const std::string own = str("(", from.sql, " IS NOT NULL AND ", sql, " IS NULL)");
  return from.failed.empty() ? own : str("coalesce(", from.failed, ", false) OR ", own);
}

TypedSql to_number(const TypedSql& value, bool is_lenient) {
  std::string sql;
  if (value.type == SqlType::text) {
    sql = str("TRY_CAST(CASE WHEN regexp_full_match(", value.sql, ", '[+-]?[0-9]+') THEN ",
              value.sql, " END AS BIGINT)");
  } else if (value.type == SqlType::real) {
    sql = str("TRY_CAST(trunc(", value.sql, ") AS BIGINT)");
  } else {
    return {str("CAST(", value.sql, " AS BIGINT)"), SqlType::integer, value.failed};
  }
  return {sql, SqlType::integer, failed_of(value, sql, is_lenient)};
}

TypedSql plain_cast(const TypedSql& value, SqlType type, bool is_lenient) {
  if (type == SqlType::text) return {as_text(value), type, value.failed};
  if (type == value.type) return value;
  if (type == SqlType::integer) return to_number(value, is_lenient);
  const char* name = type == SqlType::real      ? "DOUBLE"
                     : type == SqlType::boolean ? "BOOLEAN"
                     : type == SqlType::date    ? "DATE"
                     : type == SqlType::time    ? "TIME"
                                                : "TIMESTAMP";
  const std::string sql = str("TRY_CAST(", value.sql, " AS ", name, ")");
  return {sql, type, failed_of(value, sql, is_lenient)};
}

TypedSql to_duration(const TypedSql& value, double unit_us) {
  const TypedSql number =
      value.type == SqlType::text ? plain_cast(value, SqlType::real, false) : value;
  return {str("CAST(", number.sql, " * ",
              unit_us < 1 ? "0.001" : std::to_string(static_cast<int64_t>(unit_us)), " AS BIGINT)"),
          SqlType::duration, number.failed};
}

TypedSql to_year(const TypedSql& value) {
  const TypedSql number = to_number(value, false);
  const std::string sql = str("TRY_CAST(printf('%04d-01-01', ", number.sql, ") AS DATE)");
  return {sql, SqlType::date, failed_of(value, sql, false)};
}

}  // namespace

std::string as_text(const TypedSql& value) {
  if (value.type == SqlType::text) return value.sql;
  if (value.type == SqlType::null) return "NULL::VARCHAR";
  return str("CAST(", value.sql, " AS VARCHAR)");
}

TypedSql as_timestamp(const TypedSql& value) {
  if (value.type == SqlType::timestamp || value.type == SqlType::null) return value;
  if (value.type != SqlType::date)
    throw ConfigError("a date or a time was expected; parse the text with as \"%Y-%m-%d\"");
  return {str("CAST(", value.sql, " AS TIMESTAMP)"), SqlType::timestamp, value.failed};
}

TimeFormat parse_time_format(const std::string& format) {
  std::string out;
  bool has_day = false, has_time = false;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    std::string directive(1, format[++i]);
    if ((directive == "-" || directive == "." || directive == "3" || directive == "6" ||
         directive == "9") &&
        i + 1 < format.size())
      directive += format[++i];
    static const std::map<std::string, std::string> kLong = {
        {"T", "%H:%M:%S"}, {"F", "%Y-%m-%d"}, {"D", "%m/%d/%y"}, {"R", "%H:%M"}, {"e", "%d"},
        {"k", "%H"},       {"l", "%I"},       {"P", "%p"},       {"h", "%b"}};
    const auto found = kLong.find(directive);
    if (directive == ".f") {
      // The dot stands in it: polars takes a fraction away if there is one.
      out += ".%f";
    } else {
      out += found != kLong.end() ? found->second : "%" + directive;
    }
    const std::string shown = found != kLong.end() ? found->second : "%" + directive;
    has_day = has_day || shown.find_first_of("YmdyjbBG") != std::string::npos;
    has_time = has_time || shown.find_first_of("HMSIpf") != std::string::npos;
  }
  return {has_day && has_time ? SqlType::timestamp : has_day ? SqlType::date : SqlType::time, out};
}

TypedSql parse_time(const TypedSql& value, const std::string& format, bool is_lenient) {
  if (value.type == SqlType::date || value.type == SqlType::timestamp) return value;
  const TimeFormat parsed = parse_time_format(format);
  const std::string text = as_text(value);
  std::string sql = str("try_strptime(", text, ", ", sql_text(parsed.format), ")");
  // A fraction that may be missing.
  if (parsed.format.ends_with(".%f")) {
    sql = str("coalesce(", sql, ", try_strptime(", text, ", ",
              sql_text(parsed.format.substr(0, parsed.format.size() - 3)), "))");
  }
  if (parsed.type == SqlType::date) sql = str("CAST(", sql, " AS DATE)");
  if (parsed.type == SqlType::time) sql = str("CAST(", sql, " AS TIME)");
  return {sql, parsed.type, failed_of({text, SqlType::text, value.failed}, sql, is_lenient)};
}

std::optional<TypedSql> moment_part(const std::string& name, const std::vector<TypedSql>& args) {
  if (args.size() != 1) return std::nullopt;
  const TypedSql& value = args[0];
  if (name.starts_with("total_")) {
    const auto unit = durations().find(name.substr(6));
    if (unit == durations().end() || value.type != SqlType::duration) return std::nullopt;
    return TypedSql{
        str("CAST(trunc(", value.sql, " / CAST(", unit->second, " AS DOUBLE)) AS BIGINT)"),
        SqlType::integer, value.failed};
  }
  const auto part = parts().find(name);
  if (part == parts().end()) return std::nullopt;
  return TypedSql{str("date_part('", part->second, "', ",
                      value.type == SqlType::time ? value.sql : as_timestamp(value).sql, ")"),
                  SqlType::integer, value.failed};
}

TypedSql cast_to(const TypedSql& value, const std::string& type, bool is_lenient) {
  const auto plain = types().find(type);
  if (plain != types().end()) return plain_cast(value, plain->second, is_lenient);
  if (!is_lenient) {
    if (type == "year") return to_year(value);
    const auto unit = durations().find(type);
    if (unit != durations().end()) return to_duration(value, unit->second);
    if (const auto part = moment_part(type, {value})) return *part;
  }
  std::vector<std::string> known;
  for (const auto& [name, sql] : types()) known.push_back(name);
  for (const auto& [name, us] : durations()) known.push_back(name);
  for (const auto& [name, sql] : parts()) known.push_back(name);
  throw ConfigError(str("nothing can be made '", type, "'", is_lenient ? " with ?" : "",
                        did_you_mean(type, known)));
}

}  // namespace sequela
