#include "sequela/train/epoch_order.h"

#include <numeric>

#include "sequela/core/shuffle.h"

namespace sequela {

std::vector<int64_t> epoch_order(int64_t num_batches, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(num_batches);
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, hash_key(seed, static_cast<uint64_t>(epoch)));
  return order;
}

}  // namespace sequela
