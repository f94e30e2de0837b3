#pragma once

#include <cstdint>
#include <vector>

#include "sequela/train/train_options.h"
#include "sequela/train/trainable.h"

namespace sequela {

// One rank's part of an optimizer step.
struct StepShare {
  std::vector<int64_t> batches;  // in the order to take them
  std::vector<int64_t> lanes;    // of each; ascending (gradient_sums.h)
  int64_t num_lanes = 0;         // of the step
  int64_t num_batches = 0;       // of the step, all ranks
  int64_t most_batches = 0;      // of a rank
};

// The steps of an epoch: of the batches in `order` from number `first` on, options.accumulate a
// step, the rest in the last one.
std::vector<StepShare> shares_of_steps(const std::vector<int64_t>& order, int64_t first,
                                       const TrainOptions& options, const Trainable& model,
                                       int rank, int num_ranks);

}  // namespace sequela
