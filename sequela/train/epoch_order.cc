#include "sequela/train/epoch_order.h"

#include <numeric>
#include <utility>

#include "sequela/core/random.h"

namespace sequela {

std::vector<int64_t> epoch_order(int64_t num_batches, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(num_batches);
  std::iota(order.begin(), order.end(), 0);
  Random random(hash_key(seed, static_cast<uint64_t>(epoch)));
  for (int64_t i = num_batches - 1; i > 0; --i) {
    std::swap(order[i], order[random.below(static_cast<uint64_t>(i) + 1)]);
  }
  return order;
}

}  // namespace sequela
