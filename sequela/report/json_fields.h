#pragma once

#include <cstdint>
#include <string>

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// Fields of a run's files. Another version may have written them: what is not there, or of another
// type, is null, NaN, 0 or empty, and a page leaves it out.

// A file of a run's folder; null if it is not there. FileError if it is no JSON.
Json read_run_file(const std::string& folder, const std::string& name);

// A member, or null.
const Json& field(const Json& json, const std::string& name);
// An array, or an empty one.
const Json& list_field(const Json& json, const std::string& name);
double number_field(const Json& json, const std::string& name);
int64_t count_field(const Json& json, const std::string& name);
std::string text_field(const Json& json, const std::string& name);
// Rows with the outcome, of a task or one of its sides: num_positive, or where there is none the
// num_events of times to an event.
int64_t outcome_count(const Json& counts);

double to_number(const Json& json);
// A scalar as a cell; the texts of others.
Cell to_cell(const Json& json);

struct Estimate {
  double value, low, high;
};
Estimate to_estimate(const Json& interval);

// "0.775 (0.702 to 0.841)", "0.775" without an interval, "" where it is not defined.
std::string to_text(const Estimate& estimate);

// "1 task", "12,345 tasks".
std::string counted(int64_t count, const std::string& singular, const std::string& plural);

}  // namespace sequela
