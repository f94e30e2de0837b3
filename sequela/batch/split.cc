#include "sequela/batch/split.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

namespace sequela {
namespace {

struct Range {
  int64_t first, last;  // [first, last)

  int64_t size() const { return last - first; }
  at::Tensor of(const at::Tensor& x) const { return x.defined() ? x.narrow(0, first, size()) : x; }
  // Of offsets, which start at 0 again.
  at::Tensor of_offsets(const at::Tensor& offsets) const {
    if (!offsets.defined()) return offsets;
    const at::Tensor own = offsets.narrow(0, first, size() + 1);
    return own - own[0];
  }
};

// The entries that offsets (int32) give a range of rows; without offsets each row has its own one.
Range entries_of(const at::Tensor& offsets, const Range& rows) {
  if (!offsets.defined()) return rows;
  const int32_t* values = offsets.const_data_ptr<int32_t>();
  return {values[rows.first], values[rows.last]};
}

Range labels_of(const at::Tensor& label_indices_L, const Range& tokens) {
  const int32_t* begin = label_indices_L.const_data_ptr<int32_t>();
  const int32_t* end = begin + label_indices_L.size(0);
  return {std::lower_bound(begin, end, tokens.first) - begin,
          std::lower_bound(begin, end, tokens.last) - begin};
}

BatchInputs part_of(const BatchInputs& inputs, const Range& sequences, const Range& tokens) {
  const Range entries = entries_of(inputs.token_offsets_T1, tokens);
  const Range labels = labels_of(inputs.label_indices_L, tokens);
  return {.subject_ids_S = sequences.of(inputs.subject_ids_S),
          .lengths_S = sequences.of(inputs.lengths_S),
          .token_ids_N = entries.of(inputs.token_ids_N),
          .token_weights_N = entries.of(inputs.token_weights_N),
          .token_offsets_T1 = tokens.of_offsets(inputs.token_offsets_T1),
          .ages_days_T = tokens.of(inputs.ages_days_T),
          .time_data_T5 = tokens.of(inputs.time_data_T5),
          .timestamps_T = tokens.of(inputs.timestamps_T),
          .label_indices_L = labels.of(inputs.label_indices_L) - tokens.first};
}

MotorTargets part_of(const MotorTargets& targets, const Range& labels) {
  const Range events = entries_of(targets.row_offsets_L1, labels);
  return {.censor_seconds_L = labels.of(targets.censor_seconds_L),
          .row_offsets_L1 = labels.of_offsets(targets.row_offsets_L1),
          .task_ids_Z = events.of(targets.task_ids_Z),
          .event_seconds_Z = events.of(targets.event_seconds_Z)};
}

}  // namespace

std::vector<InputsPart> split_inputs(const BatchInputs& inputs, int64_t most) {
  const at::Tensor lengths = inputs.lengths_S.to(at::kLong);
  const int64_t* length = lengths.const_data_ptr<int64_t>();
  const int64_t num_sequences = lengths.size(0), num_tokens = inputs.ages_days_T.size(0);
  std::vector<InputsPart> parts;
  Range sequences{0, 0}, tokens{0, 0};
  const auto wanted_end = [&] {
    return (static_cast<int64_t>(parts.size()) + 1) * num_tokens / most;
  };
  const auto close = [&] {
    parts.push_back({part_of(inputs, sequences, tokens), tokens.first});
    sequences.first = sequences.last;
    tokens.first = tokens.last;
  };
  for (int64_t s = 0; s < num_sequences; ++s) {
    const bool is_last = s + 1 == num_sequences;
    // A long last sequence stands alone: with all before it, a half would be the whole.
    const int64_t missing = wanted_end() - tokens.last;
    if (is_last && sequences.size() > 0 && length[s] - missing > missing) close();
    tokens.last += length[s];
    sequences.last = s + 1;
    if (tokens.last >= wanted_end() || is_last) close();
  }
  return parts;
}

std::vector<MotorBatch> split_batch(const MotorBatch& batch, int64_t most) {
  std::vector<MotorBatch> parts;
  Range labels{0, 0};
  for (InputsPart& part : split_inputs(batch.inputs, most)) {
    labels.last += part.inputs.label_indices_L.size(0);
    parts.push_back({std::move(part.inputs), part_of(batch.targets, labels)});
    labels.first = labels.last;
  }
  return parts;
}

}  // namespace sequela
