#pragma once

#include <string>
#include <vector>

#include "sequela/evaluation/task_report.h"
#include "sequela/meds/subgroups.h"
#include "sequela/pipeline/evaluate.h"

namespace sequela {

// The task of predictions that name none.
inline constexpr const char* kOnlyTask = "task";

// An argument of --predictions, --labels or --encoder.
struct NamedFile {
  std::string task;    // empty = not said
  std::string method;  // of predictions
  std::string path;
};
NamedFile parse_predictions_argument(const std::string& argument);
NamedFile parse_labels_argument(const std::string& argument);
// "NAME=FOLDER", or "FOLDER", whose method is the folder's name.
NamedFile parse_encoder_argument(const std::string& argument);

// Adds a table's columns to a task whose rows have these keys. DataError if they have no row in
// common; `path` names the table.
void add_subgroups(const SubgroupTable& table, const std::string& path,
                   const std::vector<PredictionKey>& keys, BinaryTask& task);

// The tasks in the order in which they are first named, each with the rows that have an outcome,
// ascending by key. See evaluate_predictions.
std::vector<BinaryTask> read_binary_tasks(const EvaluateOptions& options);

}  // namespace sequela
