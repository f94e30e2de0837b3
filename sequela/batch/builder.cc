#include "sequela/batch/builder.h"

#include <cmath>

#include "sequela/batch/half.h"

namespace sequela {

namespace {

double seconds(int64_t time_us) {
  return static_cast<double>(time_us) / static_cast<double>(kMicrosPerSecond);
}

uint16_t normalized(double value, const MeanStd& stats) {
  return to_half((value - stats.mean) / stats.std);
}

void append_bag(std::span<const BagEntry> bag, BatchArrays& batch) {
  for (const BagEntry& entry : bag) {
    batch.token_ids.push_back(entry.token);
    batch.token_weights.push_back(to_half(entry.weight));
  }
  batch.token_offsets.push_back(static_cast<int32_t>(batch.token_ids.size()));
}

}  // namespace

void BatchArrays::clear() {
  subject_ids.clear();
  first_tokens.clear();
  lengths.clear();
  token_ids.clear();
  token_weights.clear();
  token_offsets.assign(1, 0);
  ages_days.clear();
  time_data.clear();
  timestamps.clear();
  label_indices.clear();
  rows.clear();
  changes.clear();
  targets.clear();
}

void BatchBuilder::append(const Sequence& sequence, const Window& window,
                          std::span<const int32_t> label_tokens, BatchArrays& batch) const {
  const auto start = static_cast<int32_t>(batch.num_tokens());
  batch.subject_ids.push_back(sequence.subject_id);
  batch.first_tokens.push_back(window.first_token);
  batch.lengths.push_back(window.length);
  int32_t i = 0;
  if (sequence.layout == SequenceLayout::birth_bag) {
    append_birth_bag(sequence, batch);
    i = 1;
  }
  for (; i < window.length; ++i) append_event(sequence, window.first_token + i, batch);
  for (const int32_t token : label_tokens) {
    batch.label_indices.push_back(start + token - window.first_token);
  }
}

void BatchBuilder::append_birth_bag(const Sequence& sequence, BatchArrays& batch) const {
  const bool is_birth = first_timestamp_ == FirstTimestamp::birth;
  const int64_t time_us = is_birth ? sequence.birth_us : sequence.last_us;
  append_bag(sequence.bag_of(0), batch);
  batch.ages_days.push_back(0);
  batch.timestamps.push_back(time_us / kMicrosPerSecond);
  const uint16_t time_data[5] = {to_half(1), 0, 0, 0, 0};
  batch.time_data.insert(batch.time_data.end(), time_data, time_data + 5);
}

std::array<uint16_t, 5> time_data_of_event(const AgeStats& age_stats, SequenceLayout layout,
                                           int64_t age_us, std::optional<int64_t> gap_us) {
  const double age = seconds(age_us);
  std::array<uint16_t, 5> time_data = {0, normalized(age, age_stats.age), 0, 0, 0};
  if (layout != SequenceLayout::birth_bag) return time_data;
  time_data[2] = normalized(std::log(age + 1), age_stats.log_age);
  if (!gap_us) {
    time_data[0] = to_half(-1);
    return time_data;
  }
  const double gap = seconds(*gap_us);
  time_data[3] = normalized(gap, age_stats.delta);
  time_data[4] = normalized(std::log(gap + 1), age_stats.log_delta);
  return time_data;
}

void BatchBuilder::append_event(const Sequence& sequence, int64_t token, BatchArrays& batch) const {
  const int64_t time_us = sequence.times_us[token];
  const int64_t age_us = time_us - sequence.birth_us;
  append_bag(sequence.bag_of(token), batch);
  batch.ages_days.push_back(
      static_cast<float>(static_cast<double>(age_us) / static_cast<double>(kMicrosPerDay)));
  batch.timestamps.push_back(time_us / kMicrosPerSecond);

  std::optional<int64_t> gap_us;
  if (token > 1) gap_us = time_us - sequence.times_us[token - 1];
  const auto time_data = time_data_of_event(age_stats_, sequence.layout, age_us, gap_us);
  batch.time_data.insert(batch.time_data.end(), time_data.begin(), time_data.end());
}

}  // namespace sequela
