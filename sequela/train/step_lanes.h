#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace sequela {

// The batches of one optimizer step, dealt into lanes. One rank adds up the gradients of a lane one
// after another; lanes are added in pairs (gradient_sums.h). Ranks take neighbouring lanes, so the
// sums, to the last bit, are the same for any number of ranks up to that of lanes.

// Lanes of a step of `num_batches`: as many as asked for, at least one for each rank, at most one
// for each batch.
int64_t num_lanes_of(int64_t num_batches, int64_t asked, int num_ranks);

// Deals so that halves, quarters and so on have about the same number of tokens; each lane keeps
// the batches' order. Follows from the batches and their tokens alone.
std::vector<std::vector<int64_t>> deal_lanes(
    const std::vector<int64_t>& batches, int64_t num_lanes,
    const std::function<int64_t(int64_t batch)>& num_tokens);

}  // namespace sequela
