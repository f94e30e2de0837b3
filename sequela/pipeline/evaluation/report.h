#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/evaluation/task_report.h"

namespace sequela {

// The forms of a report. Numbers that are not defined are null, and empty in CSV.

Json number_json(double value);
Json interval_json(const Interval& interval);  // value, low, high

// metrics.json, but for what the caller knows of the run.
Json to_json(const std::vector<TaskReport>& reports);

// metrics.csv: task, method, subgroup, metric, value, low, high, n, n_positive, why_not, p_value,
// p_holm; the last two of differences, whose method is "first - second".
std::string to_csv(const std::vector<TaskReport>& reports);

// One line of it.
struct CsvRow {
  std::string_view task, method, subgroup, metric;
  Interval interval;
  int64_t num_rows, num_positive;
  std::string_view why_not;
  std::string p_value, p_holm;
};
std::string csv_line(const CsvRow& row);
std::string csv_number(double value);  // empty for NaN

// Tables for the terminal, with rows of subgroups or without.
enum class SubgroupRows : uint8_t { shown, hidden };
std::string to_text(const std::vector<TaskReport>& reports, SubgroupRows subgroups);

// curves.json.
Json curves_json(const std::vector<BinaryTask>& tasks);

}  // namespace sequela
