#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sequela/batch/plan.h"
#include "sequela/batch/sequence.h"
#include "sequela/task/future_events.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// Targets of an objective other than MOTOR: an array of its own, by a name of its own.
struct TargetArray {
  std::string name;
  std::vector<int32_t> values;
};

// A batch as plain arrays: what nn/inputs.h holds as tensors, in the types it is stored in. S, T,
// N, L as there. float16 values are kept as their bits (half.h).
struct BatchArrays {
  std::vector<int64_t> subject_ids;          // S
  std::vector<int32_t> first_tokens;         // S: where in its record each sequence begins
  std::vector<int32_t> lengths;              // S
  std::vector<int32_t> token_ids;            // N
  std::vector<uint16_t> token_weights;       // N, float16
  std::vector<int32_t> token_offsets = {0};  // T + 1
  std::vector<float> ages_days;              // T
  std::vector<uint16_t> time_data;           // T * 5, float16
  std::vector<int64_t> timestamps;     // T, seconds since 1970, rounded towards 1970 (as femr does)
  std::vector<int32_t> label_indices;  // L
  // Targets of the labels: MOTOR's, one or the other, or another objective's.
  FutureRows rows;
  FutureChanges changes;
  std::vector<TargetArray> targets;

  int64_t num_sequences() const { return static_cast<int64_t>(lengths.size()); }
  int64_t num_tokens() const { return static_cast<int64_t>(ages_days.size()); }
  int64_t num_entries() const { return static_cast<int64_t>(token_ids.size()); }
  int64_t num_labels() const { return static_cast<int64_t>(label_indices.size()); }
  void clear();  // keeps the memory
};

// What the birth bag's timestamp is.
enum class FirstTimestamp {
  birth,
  last_event,  // the record's last time, as femr writes it
};

// A token's time_data as float16 bits: the first token of a record that is an event has no gap to
// the one before. Layout every_event: nothing but the normalized age, in the second column.
std::array<uint16_t, 5> time_data_of_event(const AgeStats& age_stats, SequenceLayout layout,
                                           int64_t age_us, std::optional<int64_t> gap_us);

// Appends windows to batches: docs/design.md, section 6.
class BatchBuilder {
 public:
  BatchBuilder(const AgeStats& age_stats, FirstTimestamp first_timestamp)
      : age_stats_(age_stats), first_timestamp_(first_timestamp) {}

  // Appends a window of a sequence with labels on the given tokens of the record (ascending, inside
  // the window, not its first). The labels' targets are left to the caller.
  void append(const Sequence& sequence, const Window& window, std::span<const int32_t> label_tokens,
              BatchArrays& batch) const;

 private:
  void append_birth_bag(const Sequence& sequence, BatchArrays& batch) const;
  void append_event(const Sequence& sequence, int64_t token, BatchArrays& batch) const;

  AgeStats age_stats_;
  FirstTimestamp first_timestamp_;
};

}  // namespace sequela
