#include "sequela/batch/femr_batch.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace sequela {

namespace {

constexpr size_t kTaskPrefix = std::string_view("task.").size();

// In the order of femr_fields(); the targets are MOTOR's.
enum Leaf {
  kNumSubjects,
  kNumIndices,
  kSubjectIds,
  kOffsets,
  kValidTokens,
  kAges,
  kTimeData,
  kTimestamps,
  kSubjectLengths,
  kLabelIndices,
  kTokens,
  kWeights,
  kTokenIndices,
  kCensorTime,
  kFirstTarget = kCensorTime,
  kTimes,
  kTasks,
  kTaskOffsets,
};

template <class T>
LeafBytes bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

template <class T>
void take(LeafBytes bytes, std::vector<T>& values) {
  values.resize(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
}

template <class From, class To>
void take_as(LeafBytes bytes, std::vector<To>& values) {
  values.resize(bytes.size() / sizeof(From));
  for (size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    values[i] = static_cast<To>(value);
  }
}

// subject_ids has one id a token; the batch one a sequence.
void gather_subject_ids(LeafBytes bytes, const std::string& path, BatchArrays& batch) {
  std::vector<int64_t> by_token;
  take(bytes, by_token);
  if (static_cast<int64_t>(by_token.size()) != batch.num_tokens()) {
    fail_damaged_batch(path, "its arrays differ in size");
  }
  int64_t token = 0;
  for (const int32_t length : batch.lengths) {
    if (length < 1 || length > batch.num_tokens() - token) {
      fail_damaged_batch(path, "its lengths do not sum to its tokens");
    }
    batch.subject_ids.push_back(by_token[token]);
    token += length;
  }
}

void sort_row(std::span<int32_t> tasks, std::span<float> times,
              std::vector<std::pair<int32_t, float>>& row) {
  if (std::ranges::is_sorted(tasks)) return;
  row.clear();
  for (size_t k = 0; k < tasks.size(); ++k) row.emplace_back(tasks[k], times[k]);
  std::ranges::sort(row);
  for (size_t k = 0; k < tasks.size(); ++k) std::tie(tasks[k], times[k]) = row[k];
}

void sort_rows(const std::string& path, FutureRows& rows) {
  std::vector<std::pair<int32_t, float>> scratch;
  const auto size = static_cast<int64_t>(rows.task_ids.size());
  if (rows.event_seconds.size() != rows.task_ids.size()) {
    fail_damaged_batch(path, "its targets differ in size");
  }
  for (size_t label = 0; label + 1 < rows.row_offsets.size(); ++label) {
    const int64_t start = rows.row_offsets[label];
    const int64_t end = rows.row_offsets[label + 1];
    if (start < 0 || end < start || end > size) fail_damaged_batch(path, "its rows do not fit");
    const auto first = static_cast<size_t>(start);
    const auto count = static_cast<size_t>(end - start);
    sort_row(std::span(rows.task_ids).subspan(first, count),
             std::span(rows.event_seconds).subspan(first, count), scratch);
  }
}

// MOTOR's targets.
void take_rows(std::span<const LeafBytes> leaves, const BatchLimits& limits,
               const std::string& path, BatchArrays& batch) {
  take(leaves[kCensorTime], batch.rows.censor_seconds);
  take(leaves[kTimes], batch.rows.event_seconds);
  take(leaves[kTasks], batch.rows.task_ids);
  take_as<int32_t>(leaves[kTaskOffsets], batch.rows.row_offsets);
  sort_rows(path, batch.rows);
  check_rows(batch, limits, path);
}

}  // namespace

bool has_wide_tokens(int32_t vocab_size) {
  return vocab_size > 32'768;
}

std::vector<LeafField> motor_target_fields() {
  return {{"task.censor_time", LeafType::float32},
          {"task.time_sparse.data", LeafType::float32},
          {"task.time_sparse.indices", LeafType::int32},
          {"task.time_sparse.indptr", LeafType::int32}};
}

std::vector<LeafField> femr_fields(bool is_wide, const std::vector<LeafField>& targets) {
  const LeafType token = is_wide ? LeafType::int32 : LeafType::int16;
  std::vector<LeafField> fields = {{"num_subjects", LeafType::int64, false},
                                   {"num_indices", LeafType::int64, false},
                                   {"subject_ids", LeafType::int64},
                                   {"offsets", LeafType::int32},
                                   {"transformer.valid_tokens", LeafType::boolean},
                                   {"transformer.ages", LeafType::float32},
                                   {"transformer.time_data", LeafType::float16, true, 5},
                                   {"transformer.timestamps", LeafType::int64},
                                   {"transformer.subject_lengths", LeafType::int32},
                                   {"transformer.label_indices", LeafType::int32},
                                   {"transformer.hierarchical_tokens", token},
                                   {"transformer.hierarchical_weights", LeafType::float16},
                                   {"transformer.token_indices", LeafType::int32}};
  fields.insert(fields.end(), targets.begin(), targets.end());
  fields.push_back({"needs_exact", LeafType::boolean, false});
  return fields;
}

std::span<const LeafBytes> FemrEncoder::encode(const BatchArrays& batch) {
  if (batch.rows.task_ids.size() > std::numeric_limits<int32_t>::max()) {
    throw std::invalid_argument("a batch has too many target entries for femr's form");
  }
  counts_[0] = batch.num_sequences();
  counts_[1] = batch.num_labels();
  subject_ids_.clear();
  for (int64_t s = 0; s < batch.num_sequences(); ++s) {
    subject_ids_.insert(subject_ids_.end(), batch.lengths[s], batch.subject_ids[s]);
  }
  valid_tokens_.assign(static_cast<size_t>(batch.num_tokens()), 1);
  if (!is_wide_) narrow_tokens_.assign(batch.token_ids.begin(), batch.token_ids.end());
  row_offsets_.assign(batch.rows.row_offsets.begin(), batch.rows.row_offsets.end());

  const auto counts = std::as_bytes(std::span(counts_));
  leaves_.assign({counts.subspan(0, 8), counts.subspan(8, 8), bytes_of(subject_ids_),
                  bytes_of(batch.first_tokens), bytes_of(valid_tokens_), bytes_of(batch.ages_days),
                  bytes_of(batch.time_data), bytes_of(batch.timestamps), bytes_of(batch.lengths),
                  bytes_of(batch.label_indices),
                  is_wide_ ? bytes_of(batch.token_ids) : bytes_of(narrow_tokens_),
                  bytes_of(batch.token_weights), bytes_of(batch.token_offsets)});
  if (batch.targets.empty()) {
    leaves_.insert(leaves_.end(),
                   {bytes_of(batch.rows.censor_seconds), bytes_of(batch.rows.event_seconds),
                    bytes_of(batch.rows.task_ids), bytes_of(row_offsets_)});
  }
  for (const TargetArray& array : batch.targets) leaves_.push_back(bytes_of(array.values));
  leaves_.push_back(std::as_bytes(std::span(&needs_exact_, 1)));
  return leaves_;
}

void decode_femr(std::span<const LeafBytes> leaves, const std::vector<LeafField>& targets,
                 const BatchLimits& limits, const std::string& path, BatchArrays& batch) {
  batch.clear();
  take(leaves[kOffsets], batch.first_tokens);
  take(leaves[kAges], batch.ages_days);
  take(leaves[kTimeData], batch.time_data);
  take(leaves[kTimestamps], batch.timestamps);
  take(leaves[kSubjectLengths], batch.lengths);
  take(leaves[kLabelIndices], batch.label_indices);
  take(leaves[kWeights], batch.token_weights);
  take(leaves[kTokenIndices], batch.token_offsets);
  if (leaves[kTokens].size() == leaves[kWeights].size()) {
    take_as<int16_t>(leaves[kTokens], batch.token_ids);
  } else {
    take(leaves[kTokens], batch.token_ids);
  }
  gather_subject_ids(leaves[kSubjectIds], path, batch);
  check_sequences(batch, limits, path);
  if (targets.size() == 4 && targets[1].path == "task.time_sparse.data") {
    return take_rows(leaves, limits, path, batch);
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    batch.targets.push_back({targets[i].path.substr(kTaskPrefix), {}});
    take(leaves[kFirstTarget + i], batch.targets.back().values);
  }
  check_targets(batch, path);
}

int64_t femr_num_tokens(std::span<const LeafBytes> leaves) {
  return static_cast<int64_t>(leaves[kAges].size() / sizeof(float));
}

}  // namespace sequela
