#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/evaluation/label_task.h"
#include "sequela/pipeline/evaluation/records.h"

namespace sequela {

// passed: it was checked, and nothing is wrong; look: something that a person should judge; found:
// a leak; not_checked: the text says why.
enum class LeakStatus : uint8_t { passed, look, found, not_checked };
const char* to_text(LeakStatus status);

// What one check found of one task.
struct LeakResult {
  std::string check;  // its name, one word
  std::string title;  // what it looks for
  std::string task;
  LeakStatus status = LeakStatus::passed;
  int64_t num_checked = 0, num_found = 0;
  std::string text;  // one sentence: what was checked, and what came of it
  // Codes that it is about, with figures; an array, empty = none.
  std::vector<std::pair<std::string, double>> codes = {};
};

// All checks of all tasks, in the order of docs/evaluate.md. They read the labels, the split, the
// histories as methods see them, and what a model's folder tells of the subjects it learned from.
std::vector<LeakResult> check_leaks(const EvaluateMethodsOptions& options,
                                    const EvaluationRecords& records,
                                    const std::vector<LabelTask>& tasks);

// Tells of what was found by log warnings; with LeakRule::fail the first one found is a DataError.
void report_leaks(const std::vector<LeakResult>& results, LeakRule rule);

// evaluation.json's `leaks`, and the lines of metrics.txt.
Json to_json(const std::vector<LeakResult>& results);
std::string to_text(const std::vector<LeakResult>& results);

// The single checks. `inputs`, where a check takes them, are those of the task.
class TaskInputs;
LeakResult check_sides(const LabelTask& task);
LeakResult check_learned_subjects(const EvaluateMethodsOptions& options, const LabelTask& task);
LeakResult check_prediction_time(const TaskInputs& inputs, const LabelTask& task);
LeakResult check_duplicates(const EvaluationRecords& records, const LabelTask& task);
LeakResult check_single_codes(const TaskInputs& inputs, const LabelTask& task);
LeakResult check_label_times(const EvaluationRecords& records, const LabelTask& task,
                             uint64_t seed);
LeakResult check_own_codes(const TaskInputs& inputs, const LabelTask& task);

}  // namespace sequela
