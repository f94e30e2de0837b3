#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/batch/check.h"

namespace sequela {

// The compact form of one batch: a run of bytes, compressed by zstd, that holds everything of a
// BatchArrays with targets as a log of changes (task/future_events.h), about 25 bytes an event
// where femr's form takes 675.
//
// Layout before compression, little-endian:
//   header   8 x int64: magic "SEQBATCH", version 1, S sequences, T tokens, N bag entries, L
//   labels,
//            C changes, number of tasks
//   int64    subject_ids[S], timestamps[T] (difference to the one before, the first to 0)
//   int32    first_tokens[S], lengths[S], token_ids[N], bag_sizes[T], label_indices[L],
//            change_counts[L]
//   uint32   seconds_after[C]
//   float32  ages_days[T], censor_seconds[L]
//   uint16   token_weights[N] (float16), time_data[5][T] (float16, by component), change_tasks[C]
// Arrays follow one another without gaps.
//
// Version 2 is that of all objectives but MOTOR. Its header has the number A of target arrays in
// place of C, and 0 tasks. It leaves out change_counts, seconds_after, censor_seconds and
// change_tasks, and ends with
//   A times  char[32] name, filled with 0; int32 values[L]

// Encodes batches. Holds buffers that are reused: one object a thread.
class CompactEncoder {
 public:
  CompactEncoder();
  ~CompactEncoder();
  CompactEncoder(const CompactEncoder&) = delete;
  CompactEncoder& operator=(const CompactEncoder&) = delete;

  // The bytes of a batch; valid until the next call. `batch` has `changes` or `targets` set, not
  // `rows`.
  std::string_view encode(const BatchArrays& batch, int32_t num_tasks);

 private:
  std::string raw_;
  std::string compressed_;
  void* context_;  // ZSTD_CCtx
};

// Decodes one batch, untrusted: every count, index and offset is checked. Fills all of `batch` but
// `changes`: the targets are given as rows. Throws FileError that names `path`.
void decode_compact(std::string_view bytes, const BatchLimits& limits, const std::string& path,
                    BatchArrays& batch);

}  // namespace sequela
