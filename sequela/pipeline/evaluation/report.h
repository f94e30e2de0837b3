#pragma once

#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/evaluation/task_report.h"

namespace sequela {

// The forms of a report. Numbers that are not defined are null, and empty in CSV.

// metrics.json, but for what the caller knows of the run.
Json to_json(const std::vector<TaskReport>& reports);

// metrics.csv: task, method, subgroup, metric, value, low, high, n, n_positive, why_not, p_value,
// p_holm; the last two of differences, whose method is "first - second".
std::string to_csv(const std::vector<TaskReport>& reports);

// Tables for the terminal.
std::string to_text(const std::vector<TaskReport>& reports);

// curves.json.
Json curves_json(const std::vector<BinaryTask>& tasks);

}  // namespace sequela
