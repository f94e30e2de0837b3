#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sequela/etl/messy/expression_sql.h"

namespace sequela {

// `$x::type`: int, float, str, bool, date, datetime, time and their other names; year (a number to
// the first day of it); seconds, days, ... (a number to a duration); total_seconds, year_of_date,
// hour_of_day, ... (a part of a duration or a time). ConfigError for another name.
TypedSql cast_to(const TypedSql& value, const std::string& type, bool is_lenient);

// `$x::"%Y-%m-%d"`. A value that is a date or time already stays.
TypedSql parse_time(const TypedSql& value, const std::string& format, bool is_lenient);

// A part by the name that a cast has; nothing if there is none of that name.
std::optional<TypedSql> moment_part(const std::string& name, const std::vector<TypedSql>& args);

}  // namespace sequela
