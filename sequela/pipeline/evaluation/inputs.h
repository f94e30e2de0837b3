#pragma once

#include <string>
#include <vector>

#include "sequela/evaluation/task_report.h"
#include "sequela/pipeline/evaluate.h"

namespace sequela {

// An argument of --predictions or --labels.
struct NamedFile {
  std::string task;    // empty = not said
  std::string method;  // of predictions
  std::string path;
};
NamedFile parse_predictions_argument(const std::string& argument);
NamedFile parse_labels_argument(const std::string& argument);

// The tasks in the order in which they are first named, each with the rows that have an outcome,
// ascending by key. See evaluate_predictions.
std::vector<BinaryTask> read_binary_tasks(const EvaluateOptions& options);

}  // namespace sequela
