#include "sequela/pipeline/evaluation/leaks/task_inputs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "sequela/core/random.h"
#include "sequela/evaluation/metrics.h"

namespace sequela {
namespace {

std::vector<int64_t> drawn_rows(const LabelTask& task, uint64_t seed) {
  std::vector<int64_t> rows;
  for (const auto* side : {&task.train, &task.validation, &task.test})
    rows.insert(rows.end(), side->begin(), side->end());
  std::ranges::sort(rows, {}, [&](int64_t row) {
    const Label& label = task.labels[row];
    return hash_key(seed, label.subject_id, label.prediction_time_us);
  });
  rows.resize(std::min(rows.size(), TaskInputs::kMaxRows));
  std::ranges::sort(rows);
  return rows;
}

}  // namespace

TaskInputs::TaskInputs(const EvaluationRecords& records, const LabelTask& task, uint64_t seed)
    : codes_(records.store().codes()),
      rows_(drawn_rows(task, seed)),
      entries_(records.store().codes().size()) {
  for (const int64_t row : rows_) {
    outcomes_.push_back(task.outcomes[row]);
    is_test_.push_back(std::ranges::binary_search(task.test, row));
    num_positive_ += task.outcomes[row];
    add(records, task.labels[row], static_cast<int32_t>(outcomes_.size()) - 1);
  }
}

void TaskInputs::add(const EvaluationRecords& records, const Label& label, int32_t row) {
  const Subject history = *records.history(label);
  const int number = records.store().find_property("numeric_value");
  const bool is_midnight = label.prediction_time_us % kMicrosPerDay == 0;
  bool has_midnight_event = false;
  std::map<int32_t, Entry> own;
  for (int64_t i = 0; i < history.num_events; ++i) {
    const int64_t time_us = history.time_us(i);
    num_after_ += time_us > label.prediction_time_us;
    Entry& entry =
        own.try_emplace(history.code(i), row, 0, std::numeric_limits<float>::quiet_NaN(), false)
            .first->second;
    ++entry.count;
    entry.is_at_time |= time_us == label.prediction_time_us;
    if (const auto value = number < 0 ? std::nullopt : history.properties[number].number(i))
      entry.last_value = *value;
    has_midnight_event |= !is_midnight && time_us != kNoTime && time_us % kMicrosPerDay == 0 &&
                          day_of(time_us) == day_of(label.prediction_time_us);
  }
  num_midnight_ += has_midnight_event;
  for (const auto& [code, entry] : own) entries_[code].push_back(entry);
}

double sparse_auroc(std::vector<RowScore> scores, const TaskInputs& inputs) {
  std::ranges::sort(scores, std::greater{}, &RowScore::score);
  RankAreas areas;
  double positive_left = static_cast<double>(inputs.num_positive());
  double negative_left = static_cast<double>(inputs.outcomes().size()) - positive_left;
  for (size_t i = 0; i < scores.size();) {
    double positive = 0, negative = 0;
    const double score = scores[i].score;
    for (; i < scores.size() && scores[i].score == score; ++i)
      (inputs.outcomes()[scores[i].row] != 0 ? positive : negative) += 1;
    areas.add(positive, negative);
    positive_left -= positive;
    negative_left -= negative;
  }
  areas.add(positive_left, negative_left);
  return areas.auroc();
}

}  // namespace sequela
