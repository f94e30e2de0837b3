#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/evaluation/task_report.h"
#include "sequela/io/time_column.h"

namespace sequela {

// All options of `sequela evaluate`.
struct EvaluateOptions {
  // "TASK:METHOD=FILE", "METHOD=FILE" (of a task named "task") or "FILE" (the method is the file's
  // name without its ending); files as read_predictions takes them.
  std::vector<std::string> predictions;
  // "TASK=FILE", or "FILE" for all tasks: outcomes of predictions that have none (meds/labels.h).
  std::vector<std::string> labels;
  std::string subgroups;  // meds/subgroups.h; empty = none
  std::string out;        // folder
  int num_bootstraps = 1000;
  uint64_t seed = 1;
  ZoneRule zone_rule = ZoneRule::utc;  // of times that have a zone
  int num_threads = 1;
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none

  void validate() const;  // ConfigError
};

struct EvaluateReport {
  std::vector<TaskReport> tasks;  // empty if nothing had to be done
  std::string text;               // tables for the terminal
  std::string json;               // what metrics.json holds
  double seconds = 0;
  bool is_up_to_date = false;
};

// Evaluates binary predictions, several methods of several tasks, and writes into options.out:
// metrics.json, metrics.csv (a row a figure), curves.json (ROC and precision-recall, calibration
// and decision curve of each method, at most 200 points each), evaluation.json (all of it, with
// bands; docs/formats.md), metrics.txt (the tables) and a manifest; all of them or none.
// report.html (pipeline/report.h) is made of them. Finished output of the same inputs is left
// alone. The numbers are the same for any number of threads; docs/evaluate.md defines them.
//
// A task's rows are the keys (subject_id, prediction_time) of its methods. A row without an outcome
// of its own takes that of the labels; one that has none there is left out, with a warning that
// tells how many. DataError where a method has no row with an outcome, methods share no row or
// contradict each other's outcome.
EvaluateReport evaluate_predictions(const EvaluateOptions& options);

}  // namespace sequela
