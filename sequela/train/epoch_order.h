#pragma once

#include <cstdint>
#include <vector>

namespace sequela {

// Order of the batches of an epoch: a permutation of 0 .. num_batches - 1 from (seed, epoch) alone.
std::vector<int64_t> epoch_order(int64_t num_batches, uint64_t seed, int64_t epoch);

}  // namespace sequela
