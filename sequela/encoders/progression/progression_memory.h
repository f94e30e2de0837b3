#pragma once

#include <cstdint>

#include "sequela/encoders/progression/progression_config.h"

namespace sequela {

// What a batch holds: true counts, not padded ones.
struct ProgressionBatchSize {
  int64_t num_patients = 0;
  int64_t num_visits = 0;  // of all patients together
  int64_t num_codes = 0;   // of all visits together
};

struct ProgressionMemoryOptions {
  bool is_training = true;  // false: inference
  bool is_embedding_frozen = false;
  bool use_bf16 = false;
  bool use_checkpoint = false;
};

// Bytes at the peak of a training step (or an inference call), by what they hold.
struct ProgressionMemory {
  int64_t weights = 0;
  int64_t gradients = 0;
  int64_t optimizer = 0;    // two moments of each trained weight
  int64_t activations = 0;  // kept for the backward pass, and its scratch
  int64_t total() const { return weights + gradients + optimizer + activations; }
};

// Counted from the shapes of all that the forward and backward pass allocate; within 25 % of what a
// run takes above an idle process (asserted by tests).
ProgressionMemory estimate_memory(const ProgressionConfig& config,
                                  const ProgressionBatchSize& batch,
                                  const ProgressionMemoryOptions& options);

// A full batch of a preset: every patient with max_visits visits of max_codes_per_visit codes.
ProgressionBatchSize full_batch(const ProgressionPreset& preset);

}  // namespace sequela
