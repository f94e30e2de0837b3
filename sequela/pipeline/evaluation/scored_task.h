#pragma once

#include <span>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/evaluation/task_report.h"
#include "sequela/pipeline/evaluation/label_task.h"
#include "sequela/pipeline/evaluation/records.h"

namespace sequela {

// A task's test rows, ready for the metrics, without a method.
BinaryTask to_binary_task(const LabelTask& task);

// Gives a method its probabilities of the test rows.
void set_scores(const LabelTask& task, std::vector<double> probabilities, MethodScores* method);

// Adds the predictions of options.predictions, each to its task; rows beyond the test labels are
// left out, with a warning. ConfigError for a method's name that is taken, or a task that there is
// not; DataError for another outcome, or no row in common.
void add_outside_predictions(const EvaluateMethodsOptions& options,
                             const std::vector<LabelTask>& tasks, std::vector<BinaryTask>* scored);

// Adds the subgroups of the file in options.subgroups, or those that the records give.
void add_task_subgroups(const EvaluateMethodsOptions& options, const EvaluationRecords& records,
                        const std::vector<LabelTask>& tasks, std::vector<BinaryTask>* scored);

// Predictions of all test rows as a file in meds-evaluation's schema, and back.
void write_task_predictions(const LabelTask& task, const std::vector<double>& probabilities,
                            const std::string& path);
std::vector<double> read_task_predictions(const LabelTask& task, const std::string& path);

// evaluation.json's `sides`.
Json sides_json(const LabelTask& task);

}  // namespace sequela
