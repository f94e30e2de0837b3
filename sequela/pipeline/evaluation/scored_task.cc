#include "sequela/pipeline/evaluation/scored_task.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/meds/predictions.h"
#include "sequela/pipeline/evaluation/history_subgroups.h"
#include "sequela/pipeline/evaluation/inputs.h"
#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/evaluation/methods/hazards.h"
#include "sequela/pipeline/finetuning/predictions.h"

namespace sequela {
namespace {

std::vector<PredictionKey> test_keys(const LabelTask& task) {
  std::vector<PredictionKey> keys;
  for (const int64_t row : task.test)
    keys.push_back({task.labels[row].subject_id, task.labels[row].prediction_time_us});
  return keys;
}

// Which task a file is of.
size_t task_of(const NamedFile& file, const std::vector<LabelTask>& tasks) {
  const auto found = std::ranges::find(tasks, file.task, &LabelTask::name);
  if (found != tasks.end()) return found - tasks.begin();
  if (tasks.size() == 1 && file.task == kOnlyTask) return 0;
  std::string names;
  for (const LabelTask& task : tasks) names += (names.empty() ? "" : ", ") + task.name;
  throw ConfigError("predictions", file.task + ":" + file.method + "=" + file.path,
                    str("TASK:METHOD=FILE, of the tasks ", names));
}

// A file's probabilities of the test rows that it has.
MethodScores outside_scores(const NamedFile& file, const LabelTask& task, ZoneRule zone_rule) {
  const std::vector<PredictionKey> keys = test_keys(task);
  MethodScores scores{.name = file.method};
  int64_t num_other = 0;
  for (const Prediction& row : read_predictions(file.path, zone_rule)) {
    const auto place = std::ranges::lower_bound(keys, row.key);
    if (place == keys.end() || *place != row.key) {
      ++num_other;
      continue;
    }
    const auto i = static_cast<int32_t>(place - keys.begin());
    if (!std::isnan(row.outcome) && (row.outcome != 0) != (task.outcomes[task.test[i]] != 0)) {
      throw DataError(
          {.path = file.path, .column = "boolean_value", .subject_id = row.key.subject_id},
          "another outcome than the task's labels", "give predictions of the same labels");
    }
    scores.rows.push_back(i);
    scores.probabilities.push_back(row.probability);
  }
  if (scores.rows.empty()) {
    throw DataError({.path = file.path},
                    str("no row in common with the test labels of ", task.name),
                    "see that subject_id and prediction_time are the same in both");
  }
  if (num_other > 0) {
    log_warning(str(file.path, ": ", num_other, " predictions are of no test label of ", task.name,
                    " and are left out."));
  }
  return scores;
}

Json side_json(const LabelTask& task, const std::vector<int64_t>& rows) {
  std::set<int64_t> subjects;
  int64_t positive = 0, competing = 0;
  for (const int64_t row : rows) {
    subjects.insert(task.subject_ids[row]);
    positive += task.outcomes[row];
    if (task.is_survival())
      competing += task.ends[row] == static_cast<uint8_t>(FollowUpEnd::competing);
  }
  Json json = {
      {"num_rows", rows.size()}, {"num_positive", positive}, {"num_subjects", subjects.size()}};
  if (task.is_survival()) {
    json["num_events"] = positive;
    json["num_competing"] = competing;
  }
  return json;
}

// Codes that make subgroups of a task: those asked for, and the one whose hazard answers it.
std::vector<std::string> subgroup_codes(const EvaluateMethodsOptions& options,
                                        const std::string& task) {
  std::vector<std::string> codes = options.subgroup_codes;
  for (const std::string& argument : options.hazards) {
    const HazardOfTask hazard = parse_hazard(argument);
    const bool is_own = hazard.task.empty() || hazard.task == task;
    if (is_own && std::ranges::find(codes, hazard.code) == codes.end())
      codes.push_back(hazard.code);
  }
  return codes;
}

}  // namespace

BinaryTask to_binary_task(const LabelTask& task) {
  BinaryTask scored{.name = task.name};
  scored.subject_ids = values_at(task.subject_ids, task.test);
  scored.outcomes = values_at(task.outcomes, task.test);
  return scored;
}

void set_scores(const LabelTask& task, std::vector<double> probabilities, MethodScores* method) {
  method->rows.resize(task.test.size());
  std::iota(method->rows.begin(), method->rows.end(), 0);
  method->probabilities = std::move(probabilities);
}

void add_outside_predictions(const EvaluateMethodsOptions& options,
                             const std::vector<LabelTask>& tasks, std::vector<BinaryTask>* scored) {
  for (const std::string& argument : options.predictions) {
    const NamedFile file = parse_predictions_argument(argument);
    const size_t t = task_of(file, tasks);
    std::vector<MethodScores>& methods = (*scored)[t].methods;
    if (std::ranges::find(methods, file.method, &MethodScores::name) != methods.end()) {
      throw ConfigError(str("--predictions: there is a method named '", file.method,
                            "' already. Fix: give it another name, METHOD=FILE."));
    }
    methods.push_back(outside_scores(file, tasks[t], options.zone_rule));
  }
}

void add_task_subgroups(const EvaluateMethodsOptions& options, const EvaluationRecords& records,
                        const std::vector<LabelTask>& tasks, std::vector<BinaryTask>* scored) {
  if (!options.subgroups.empty()) {
    const SubgroupTable table = read_subgroups(options.subgroups, options.zone_rule);
    for (size_t t = 0; t < tasks.size(); ++t)
      add_subgroups(table, options.subgroups, test_keys(tasks[t]), (*scored)[t]);
    return;
  }
  for (size_t t = 0; t < tasks.size(); ++t) {
    (*scored)[t].subgroups = history_subgroups(records, values_at(tasks[t].labels, tasks[t].test),
                                               subgroup_codes(options, tasks[t].name));
  }
}

void write_task_predictions(const LabelTask& task, const std::vector<double>& probabilities,
                            const std::string& path) {
  Predictions predictions{.labels = {}, .probabilities = probabilities};
  predictions.labels.resize(probabilities.size());
  std::iota(predictions.labels.begin(), predictions.labels.end(), 0);
  write_predictions(path, predictions, values_at(task.labels, task.test));
}

std::vector<double> read_task_predictions(const LabelTask& task, const std::string& path) {
  std::vector<double> probabilities;
  for (const Prediction& row : read_predictions(path)) probabilities.push_back(row.probability);
  if (probabilities.size() != task.test.size()) {
    throw FileError(path, "holds other rows than the task's test labels",
                    "remove it, and run again");
  }
  return probabilities;
}

Json sides_json(const LabelTask& task) {
  return {{"train", side_json(task, task.train)},
          {"validation", side_json(task, task.validation)},
          {"test", side_json(task, task.test)}};
}

}  // namespace sequela
