#include "sequela/pipeline/evaluation/label_task.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/random.h"
#include "sequela/meds/split.h"

namespace sequela {
namespace {

constexpr double kValidationShare = 0.2;  // of the train subjects, where none is set apart

PredictionKey label_key(const Label& label) {
  return {label.subject_id, label.prediction_time_us};
}

std::optional<FollowUpEnd> end_of(const Label& label) {
  if (std::isnan(label.number)) return std::nullopt;
  if (label.category == "event") return FollowUpEnd::event;
  if (label.category == "competing") return FollowUpEnd::competing;
  if (label.category == "censored") return FollowUpEnd::censored;
  return std::nullopt;
}

class TaskBuilder {
 public:
  TaskBuilder(const std::string& name, std::string path, const SubjectParts& parts,
              const EventStore& store, const LabelTaskOptions& options)
      : path_(std::move(path)), parts_(parts), store_(store), options_(options) {
    task_.name = name;
  }

  LabelTask build() {
    std::vector<Label> labels = read_labels(path_, options_.zone_rule);
    std::ranges::sort(labels, {}, label_key);
    is_survival_ = !labels.empty() && std::ranges::all_of(labels, [](const Label& label) {
      return end_of(label).has_value();
    });
    for (size_t i = 0; i < labels.size(); ++i) {
      if (i > 0 && label_key(labels[i]) == label_key(labels[i - 1])) {
        throw DataError({.path = path_, .subject_id = labels[i].subject_id},
                        "two labels of one subject and time", "give one label for each");
      }
      add(labels[i]);
    }
    warn();
    if (task_.validation.empty()) take_validation();
    for (auto* rows : {&task_.train, &task_.validation, &task_.test}) limit(*rows);
    check();
    return std::move(task_);
  }

 private:
  void add(const Label& label) {
    if (!store_.find_subject(label.subject_id)) {
      ++num_unknown_;
      return;
    }
    const std::optional<SplitPart> part = parts_.of(label_key(label));
    if (!part) {
      ++num_without_part_;
      return;
    }
    if (std::isnan(label.value)) {
      ++num_without_value_;
      return;
    }
    if (!is_survival_ && label.value != 0 && label.value != 1) {
      throw DataError({.path = path_, .column = "boolean_value", .subject_id = label.subject_id},
                      "neither true nor false", "give labels with boolean_value");
    }
    const auto row = static_cast<int64_t>(task_.labels.size());
    rows_of(*part).push_back(row);
    task_.labels.push_back(label);
    task_.subject_ids.push_back(label.subject_id);
    if (!is_survival_) return task_.outcomes.push_back(label.value != 0);
    const FollowUpEnd end = *end_of(label);
    task_.outcomes.push_back(end == FollowUpEnd::event);
    task_.days.push_back(label.number);
    task_.ends.push_back(static_cast<uint8_t>(end));
  }

  std::vector<int64_t>& rows_of(SplitPart part) {
    if (part == SplitPart::train) return task_.train;
    return part == SplitPart::tuning ? task_.validation : task_.test;
  }

  void warn() const {
    const auto say = [&](int64_t count, const char* why) {
      if (count > 0) log_warning(str(task_.name, ": ", count, " labels are left out: ", why));
    };
    say(num_unknown_, "their subject is not in the records");
    say(num_without_part_, "the split puts them into none of train, tuning and held_out");
    say(num_without_value_, "they have no value");
  }

  void take_validation() {
    const auto validates = [&](int64_t row) {
      return is_validation_subject(task_.subject_ids[row], kSplitSeed, kValidationShare);
    };
    for (const int64_t row : task_.train) {
      if (validates(row)) task_.validation.push_back(row);
    }
    std::erase_if(task_.train, validates);
  }

  // The labels whose hash is smallest, in their order.
  void limit(std::vector<int64_t>& rows) const {
    if (options_.max_labels == 0 || static_cast<int64_t>(rows.size()) <= options_.max_labels)
      return;
    const auto hash = [&](int64_t row) {
      const Label& label = task_.labels[row];
      return hash_key(options_.seed, label.subject_id, label.prediction_time_us);
    };
    std::ranges::sort(rows, {}, hash);
    rows.resize(options_.max_labels);
    std::ranges::sort(rows);
  }

  void check() const {
    for (const auto& [rows, part] :
         {std::pair{&task_.train, "train"}, std::pair{&task_.test, "held-out"}}) {
      if (is_enough(*rows)) continue;
      throw DataError(
          {path_},
          str("the ", part, " subjects have ", rows->size(), " labels, ", num_positive(*rows),
              " of them ", is_survival_ ? "with the event" : "true: both outcomes are needed"),
          "give more labels, or another split (--splits)");
    }
    if (is_enough(task_.validation)) return;
    log_warning(str(task_.name, ": the tuning subjects have ", task_.validation.size(), " labels, ",
                    num_positive(task_.validation),
                    " of them true: too few to choose a regularisation by; probes choose it by "
                    "cross-validation."));
  }
  int64_t num_positive(const std::vector<int64_t>& rows) const {
    return std::ranges::count_if(rows, [&](int64_t row) { return task_.outcomes[row] != 0; });
  }
  bool is_enough(const std::vector<int64_t>& rows) const {
    const int64_t positive = num_positive(rows);
    return positive > 0 && (is_survival_ || positive < static_cast<int64_t>(rows.size()));
  }

  const std::string path_;
  const SubjectParts& parts_;
  const EventStore& store_;
  const LabelTaskOptions& options_;
  bool is_survival_ = false;
  int64_t num_unknown_ = 0, num_without_part_ = 0, num_without_value_ = 0;
  LabelTask task_;
};

}  // namespace

LabelTask read_label_task(const std::string& name, const std::string& path,
                          const SubjectParts& parts, const EventStore& store,
                          const LabelTaskOptions& options) {
  return TaskBuilder(name, path, parts, store, options).build();
}

std::vector<Label> join_labels(std::vector<LabelTask>& tasks) {
  std::map<PredictionKey, int64_t> places;
  for (const LabelTask& task : tasks) {
    for (const Label& label : task.labels) places.emplace(label_key(label), 0);
  }
  std::vector<Label> labels;
  for (auto& [key, place] : places) {
    place = static_cast<int64_t>(labels.size());
    labels.push_back({.subject_id = key.subject_id, .prediction_time_us = key.prediction_time_us});
  }
  for (LabelTask& task : tasks) {
    task.places.clear();
    for (const Label& label : task.labels) task.places.push_back(places.at(label_key(label)));
  }
  return labels;
}

}  // namespace sequela
