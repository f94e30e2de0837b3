#pragma once

#include <string>
#include <vector>

#include "sequela/etl/messy/expression_sql.h"

namespace sequela {

// Values of several types as one type: text where one of them is, else the wider of two numbers.
SqlType unify(std::vector<TypedSql>* values);

// `failed` of what is made of two values.
std::string merged_faults(const std::string& a, const std::string& b);

// + - * / **, and of dates, times and durations what has a meaning; ConfigError for the rest.
TypedSql arithmetic(const std::string& op, const TypedSql& a, const TypedSql& b);
// == != < <= > >=
TypedSql comparison(const std::string& op, const TypedSql& a, const TypedSql& b);

}  // namespace sequela
