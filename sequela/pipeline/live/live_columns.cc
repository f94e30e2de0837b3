#include "sequela/pipeline/live/live_columns.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <unordered_map>

namespace sequela {
namespace {

void check(const LiveColumns& columns) {
  const size_t n = columns.subject_ids_n.size();
  for (const size_t size :
       {columns.times_us_n.size(), columns.codes_n.size(), columns.numbers_n.size(),
        columns.has_numbers_n.size(), columns.texts_n.size()}) {
    if (size != n) throw std::invalid_argument("columns of events differ in length");
  }
  const auto are_within = [](std::span<const int32_t> ids, int32_t least, size_t end) {
    return std::ranges::all_of(
        ids, [&](int32_t id) { return id >= least && id < static_cast<int64_t>(end); });
  };
  if (!are_within(columns.codes_n, 0, columns.codes.size()) ||
      !are_within(columns.texts_n, -1, columns.texts.size())) {
    throw std::invalid_argument("an index of a code or a text is out of range");
  }
}

// The events of columns as the embedder takes them. Refers to the columns.
class ColumnEvents {
 public:
  explicit ColumnEvents(const LiveColumns& columns) : values_(columns.subject_ids_n.size()) {
    for (size_t i = 0; i < values_.size(); ++i) {
      size_t count = 0;
      if (columns.has_numbers_n[i] != 0)
        values_[i][count++] = {"numeric_value", columns.numbers_n[i], {}};
      if (columns.texts_n[i] >= 0)
        values_[i][count++] = {"text_value", std::nullopt, columns.texts[columns.texts_n[i]]};
      events_.push_back({columns.subject_ids_n[i], columns.times_us_n[i],
                         columns.codes[columns.codes_n[i]], std::span(values_[i]).first(count)});
    }
  }
  std::span<const LiveEvent> events() const { return events_; }

 private:
  std::vector<std::array<LiveValue, 2>> values_;
  std::vector<LiveEvent> events_;
};

}  // namespace

LiveAnswers add_columns(LiveScorer& scorer, const LiveColumns& columns) {
  check(columns);
  LiveAnswers answers;
  std::unordered_map<int64_t, int64_t> row_of_subject;
  for (const int64_t subject_id : columns.subject_ids_n) {
    const auto row = static_cast<int64_t>(answers.subject_ids_S.size());
    if (row_of_subject.emplace(subject_id, row).second) answers.subject_ids_S.push_back(subject_id);
  }
  const int64_t hidden = scorer.hidden_size();
  const auto num_tasks = static_cast<int64_t>(scorer.tasks().size());
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  answers.embeddings_SH.assign(answers.subject_ids_S.size() * hidden, kNone);
  answers.risks_SC.assign(answers.subject_ids_S.size() * num_tasks, kNone);
  scorer.add(ColumnEvents(columns).events(), [&](const LiveRows& rows) {
    for (int64_t i = 0; i < rows.num_events; ++i) {  // later rows of a patient replace earlier ones
      const int64_t row = row_of_subject.at(columns.subject_ids_n[rows.first + i]);
      std::copy_n(rows.embeddings_nH + i * hidden, hidden,
                  answers.embeddings_SH.data() + row * hidden);
      std::copy_n(rows.risks_nS + i * num_tasks, num_tasks,
                  answers.risks_SC.data() + row * num_tasks);
    }
  });
  return answers;
}

}  // namespace sequela
