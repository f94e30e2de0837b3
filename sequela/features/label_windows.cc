#include "sequela/features/label_windows.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace sequela {
namespace {

constexpr int64_t kMaxHistory = 4'096;

}  // namespace

const char* to_text(LabelState state) {
  switch (state) {
    case LabelState::embedded:
      return "embedded";
    case LabelState::unknown_subject:
      return "the subject is not in the data";
    case LabelState::no_birth:
      return "the subject has no birth";
    case LabelState::before_first_event:
      return "before the first event after the day of birth";
  }
  return "";
}

int32_t max_history(int64_t tokens_per_batch) {
  return static_cast<int32_t>(std::min(kMaxHistory, tokens_per_batch));
}

LabelWindows::LabelWindows(const EventStore& store, const EventTokenizer& tokenizer,
                           std::span<const Label> labels, int32_t max_length, LabelState* states)
    : store_(store),
      sequences_(store, tokenizer),
      labels_(labels),
      max_length_(max_length),
      states_(states),
      order_(labels.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) {
    const Label &x = labels_[a], &y = labels_[b];
    return std::tie(x.subject_id, x.prediction_time_us) <
           std::tie(y.subject_id, y.prediction_time_us);
  });
}

bool LabelWindows::next() {
  while (position_ < order_.size()) {
    const size_t begin = position_;
    const int64_t subject_id = labels_[order_[begin]].subject_id;
    while (position_ < order_.size() && labels_[order_[position_]].subject_id == subject_id)
      ++position_;
    if (plan_subject({order_.data() + begin, position_ - begin})) return true;
  }
  return false;
}

bool LabelWindows::set_all(std::span<const int64_t> labels, LabelState state) {
  for (const int64_t label : labels) states_[label] = state;
  return false;
}

// False if no label of the subject has a history.
bool LabelWindows::plan_subject(std::span<const int64_t> labels) {
  const auto subject = store_.find_subject(labels_[labels.front()].subject_id);
  if (!subject) return set_all(labels, LabelState::unknown_subject);
  const bool has_birth = sequences_.build(store_.subject(*subject), sequence_);
  store_.release(*subject, *subject + 1);
  if (!has_birth) return set_all(labels, LabelState::no_birth);
  tokens_.clear();
  embedded_.clear();
  for (const int64_t label : labels) {
    const auto token = token_at(sequence_, labels_[label].prediction_time_us);
    states_[label] = token ? LabelState::embedded : LabelState::before_first_event;
    if (!token) continue;
    tokens_.push_back(*token);
    embedded_.push_back(label);
  }
  if (tokens_.empty()) return false;
  plan_ = plan_exact_windows(*subject, tokens_, max_length_);
  return true;
}

}  // namespace sequela
