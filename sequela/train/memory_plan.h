#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/model/encoder_config.h"
#include "sequela/model/motor.h"
#include "sequela/train/train_options.h"

namespace sequela {

struct MemoryPlanOptions {
  Precision precision = Precision::fp32;
  Activations activations = Activations::kept;
  int num_ranks = 1;
  int64_t tokens_per_batch = 8'192;
  double labelled_share = 0.1;  // of the tokens
};

// Bytes that a rank's training of a MOTOR model takes, by what they are for: worked out from the
// shapes alone, for the rank that owns most. Libraries, the batches that are read ahead and what an
// evaluation takes come on top.
struct MemoryPlan {
  int64_t weights = 0;      // float32, and the products' bfloat16
  int64_t gradients = 0;    // float32
  int64_t lane_sums = 0;    // of lanes that wait for their partners (gradient_sums.h)
  int64_t exchange = 0;     // gradients on their way
  int64_t optimizer = 0;    // this rank's moments
  int64_t activations = 0;  // of one batch, with what its backward pass computes
  int64_t per_token = 0;    // of the last

  int64_t total() const;
  // Tokens of the largest batch that fits into so many bytes; 0 if none does.
  int64_t largest_batch(int64_t bytes) const;
};
MemoryPlan plan_memory(const ModelConfig& config, const TrainOptions& train,
                       const MemoryPlanOptions& options);

// A line for each kind, a column for each number of ranks.
std::vector<std::string> memory_table(const ModelConfig& config, const TrainOptions& train,
                                      MemoryPlanOptions options, const std::vector<int>& ranks,
                                      int64_t available_bytes);

}  // namespace sequela
