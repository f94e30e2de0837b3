#include "sequela/pipeline/evaluation/inputs.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/meds/labels.h"
#include "sequela/meds/predictions.h"
#include "sequela/meds/subgroups.h"

namespace sequela {
namespace {

// What stands before the first "=", if it can be a name: a path or a URI has a slash.
std::optional<std::string> name_before_path(const std::string& argument) {
  const size_t end = argument.find('=');
  if (end == std::string::npos || end == 0 || argument.find('/') < end) return std::nullopt;
  return argument.substr(0, end);
}

// A method's file, its rows with an outcome ascending by key.
struct MethodRows {
  NamedFile file;
  std::vector<Prediction> rows;
};

using Outcomes = std::map<PredictionKey, double>;

Outcomes read_outcomes(const std::string& path, ZoneRule zone_rule) {
  Outcomes outcomes;
  for (const Label& label : read_labels(path, zone_rule)) {
    if (std::isnan(label.value)) continue;
    if (label.value != 0 && label.value != 1) {
      throw DataError({.path = path, .subject_id = label.subject_id},
                      "a label is not true or false", "give labels with boolean_value");
    }
    const PredictionKey key{label.subject_id, label.prediction_time_us};
    if (outcomes.emplace(key, label.value).second) continue;
    throw DataError({.path = path, .subject_id = label.subject_id},
                    "two labels of one subject and time", "give one label for each");
  }
  return outcomes;
}

// Fills in outcomes that are missing and drops the rows that stay without.
void take_outcomes(const Outcomes* labels, MethodRows& method) {
  for (Prediction& row : method.rows) {
    if (labels == nullptr || !std::isnan(row.outcome)) continue;
    const auto found = labels->find(row.key);
    if (found != labels->end()) row.outcome = found->second;
  }
  const auto num_dropped =
      std::erase_if(method.rows, [](const Prediction& row) { return std::isnan(row.outcome); });
  const std::string& path = method.file.path;
  if (method.rows.empty()) {
    if (labels == nullptr) {
      throw DataError({.path = path, .column = "boolean_value"}, "no row has an outcome",
                      "add the column, or give --labels");
    }
    throw DataError({.path = path}, "no row in common with the labels",
                    "see that subject_id and prediction_time are the same in both");
  }
  if (num_dropped > 0) {
    log_warning(str(path, ": ", num_dropped, " of ", num_dropped + method.rows.size(),
                    " predictions have no outcome and are left out."));
  }
}

BinaryTask to_task(const std::string& name, const std::vector<MethodRows>& methods,
                   std::vector<PredictionKey>& keys) {
  Outcomes outcomes;
  for (const MethodRows& method : methods) {
    for (const Prediction& row : method.rows) {
      const auto [found, is_new] = outcomes.emplace(row.key, row.outcome);
      if (is_new || found->second == row.outcome) continue;
      throw DataError(
          {.path = method.file.path, .column = "boolean_value", .subject_id = row.key.subject_id},
          "another outcome than in a file before it",
          "give methods of one task the same outcomes, or name tasks, "
          "--predictions TASK:METHOD=FILE");
    }
  }
  BinaryTask task{.name = name};
  for (const auto& [key, outcome] : outcomes) {
    keys.push_back(key);
    task.subject_ids.push_back(key.subject_id);
    task.outcomes.push_back(outcome != 0);
  }
  for (const MethodRows& method : methods) {
    MethodScores scores{.name = method.file.method};
    for (const Prediction& row : method.rows) {
      const auto place = std::ranges::lower_bound(keys, row.key) - keys.begin();
      scores.rows.push_back(static_cast<int32_t>(place));
      scores.probabilities.push_back(row.probability);
    }
    task.methods.push_back(std::move(scores));
  }
  return task;
}

void check_common_rows(const BinaryTask& task, const std::vector<MethodRows>& methods) {
  for (size_t a = 0; a < methods.size(); ++a) {
    for (size_t b = a + 1; b < methods.size(); ++b) {
      if (task.methods[a].name == task.methods[b].name) {
        throw ConfigError(str("--predictions: method '", task.methods[a].name, "' of task '",
                              task.name, "' comes twice. Fix: name each, METHOD=FILE."));
      }
      std::vector<int32_t> common;
      std::ranges::set_intersection(task.methods[a].rows, task.methods[b].rows,
                                    std::back_inserter(common));
      if (!common.empty()) continue;
      throw DataError({.path = methods[b].file.path},
                      str("no row in common with ", methods[a].file.path),
                      "give files of other rows a task of their own, --predictions "
                      "TASK:METHOD=FILE");
    }
  }
}

// The labels of a task: those named for it, else those for all.
class LabelFiles {
 public:
  explicit LabelFiles(const EvaluateOptions& options) {
    for (const std::string& argument : options.labels) {
      const NamedFile file = parse_labels_argument(argument);
      if (by_task_.emplace(file.task, read_outcomes(file.path, options.zone_rule)).second) continue;
      throw ConfigError(str("--labels: two files for ",
                            file.task.empty() ? "all tasks" : "task '" + file.task + "'",
                            ". Fix: name tasks, TASK=FILE."));
    }
  }
  const Outcomes* of_task(const std::string& task) const {
    for (const std::string& name : {task, std::string()}) {
      if (const auto found = by_task_.find(name); found != by_task_.end()) return &found->second;
    }
    return nullptr;
  }

 private:
  std::map<std::string, Outcomes> by_task_;
};

}  // namespace

NamedFile parse_predictions_argument(const std::string& argument) {
  const auto name = name_before_path(argument);
  if (!name) return {kOnlyTask, std::filesystem::path(argument).stem().string(), argument};
  const std::string path = argument.substr(name->size() + 1);
  const size_t colon = name->find(':');
  if (colon == std::string::npos) return {kOnlyTask, *name, path};
  return {name->substr(0, colon), name->substr(colon + 1), path};
}

NamedFile parse_labels_argument(const std::string& argument) {
  const auto name = name_before_path(argument);
  if (!name) return {"", "", argument};
  return {*name, "", argument.substr(name->size() + 1)};
}

NamedFile parse_encoder_argument(const std::string& argument) {
  const auto name = name_before_path(argument);
  if (name) return {"", *name, argument.substr(name->size() + 1)};
  std::filesystem::path folder(argument);
  if (folder.filename().empty()) folder = folder.parent_path();
  return {"", folder.filename().string(), argument};
}

void add_subgroups(const SubgroupTable& table, const std::string& path,
                   const std::vector<PredictionKey>& keys, BinaryTask& task) {
  std::vector<int64_t> rows;
  for (const PredictionKey& key : keys) rows.push_back(table.find(key));
  if (std::ranges::all_of(rows, [](int64_t row) { return row < 0; })) {
    throw DataError({.path = path}, str("no row in common with the predictions of ", task.name),
                    "see that subject_id, and prediction_time if there is one, are the same");
  }
  for (const SubgroupTable::Column& column : table.columns) {
    SubgroupColumn& made = task.subgroups.emplace_back();
    made.name = column.name;
    made.values = column.values;
    for (const int64_t row : rows) made.value_of.push_back(row < 0 ? -1 : column.value_of[row]);
  }
}

std::vector<BinaryTask> read_binary_tasks(const EvaluateOptions& options) {
  const LabelFiles labels(options);
  std::vector<std::string> names;
  std::map<std::string, std::vector<MethodRows>> methods;
  for (const std::string& argument : options.predictions) {
    MethodRows method{parse_predictions_argument(argument), {}};
    method.rows = read_predictions(method.file.path, options.zone_rule);
    take_outcomes(labels.of_task(method.file.task), method);
    if (std::ranges::find(names, method.file.task) == names.end()) {
      names.push_back(method.file.task);
    }
    methods[method.file.task].push_back(std::move(method));
  }
  std::optional<SubgroupTable> subgroups;
  if (!options.subgroups.empty()) {
    subgroups = read_subgroups(options.subgroups, options.zone_rule);
  }
  std::vector<BinaryTask> tasks;
  for (const std::string& name : names) {
    std::vector<PredictionKey> keys;
    tasks.push_back(to_task(name, methods[name], keys));
    check_common_rows(tasks.back(), methods[name]);
    if (subgroups) add_subgroups(*subgroups, options.subgroups, keys, tasks.back());
  }
  return tasks;
}

}  // namespace sequela
