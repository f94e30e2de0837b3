#include "sequela/features/label_batches.h"

#include <ATen/ATen.h>

#include <utility>

#include "sequela/batch/tensors.h"
#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"

namespace sequela {

LabelBatches::LabelBatches(const EventStore& store, const EventTokenizer& tokenizer,
                           const AgeStats& age_stats, std::span<const Label> labels,
                           int64_t tokens_per_batch, LabelState* states)
    : store_(store),
      tokens_per_batch_(tokens_per_batch),
      builder_(age_stats, FirstTimestamp::birth),
      sequences_(store, tokenizer) {
  LabelWindows subjects(store, tokenizer, labels, max_history(tokens_per_batch), states);
  while (subjects.next()) {
    add_windows(subjects);
    throw_if_stopped();
  }
  if (num_tokens_ > 0) first_windows_.push_back(static_cast<int64_t>(windows_.size()));
}

void LabelBatches::add_windows(const LabelWindows& subject) {
  const ExactWindows& plan = subject.plan();
  size_t point = 0;
  for (size_t w = 0; w < plan.windows.size(); ++w) {
    const Window& window = plan.windows[w];
    if (num_tokens_ > 0 && num_tokens_ + window.length > tokens_per_batch_) {
      first_windows_.push_back(static_cast<int64_t>(windows_.size()));
      num_tokens_ = 0;
    }
    num_tokens_ += window.length;
    windows_.push_back(window);
    for (; point < plan.points.size() && plan.points[point].window == static_cast<int32_t>(w);
         ++point) {
      points_.push_back({subject.labels()[point], plan.points[point].position});
    }
    first_points_.push_back(static_cast<int64_t>(points_.size()));
  }
  SEQUELA_CHECK(point == plan.points.size());
}

LabelBatches::Batch LabelBatches::read(int64_t batch) const {
  SEQUELA_CHECK(batch >= 0 && batch < num_batches());
  const std::lock_guard lock(mutex_);
  BatchArrays arrays;
  Batch result;
  std::vector<int32_t> tokens;
  int64_t subject = -1;  // whose sequence is there
  for (int64_t w = first_windows_[batch]; w < first_windows_[batch + 1]; ++w) {
    const Window& window = windows_[w];
    if (window.subject != subject) {
      subject = window.subject;
      SEQUELA_CHECK(sequences_.build(store_.subject(subject), sequence_));
      store_.release(subject, subject + 1);
    }
    const auto first = static_cast<int32_t>(arrays.num_tokens());
    builder_.append(sequence_, window, {}, arrays);
    for (int64_t p = first_points_[w]; p < first_points_[w + 1]; ++p) {
      tokens.push_back(first + points_[p].position);
      result.labels.push_back(points_[p].label);
    }
  }
  result.inputs = to_inputs(std::move(arrays));
  result.inputs.label_indices_L = at::tensor(tokens, at::kInt);
  return result;
}

}  // namespace sequela
