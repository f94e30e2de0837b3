#include "sequela/evaluation/few_shot.h"

#include <algorithm>
#include <utility>

#include "sequela/core/random.h"

namespace sequela {

std::vector<int64_t> draw_few_shots(std::span<const int64_t> rows,
                                    std::span<const uint8_t> outcomes, int64_t k, int64_t max_k,
                                    uint64_t key) {
  std::vector<int64_t> drawn;
  for (const uint8_t outcome : {0, 1}) {
    std::vector<int64_t> own;
    for (const int64_t row : rows) {
      if (outcomes[row] == outcome) own.push_back(row);
    }
    if (own.empty()) continue;
    Random random(hash_key(key, outcome));
    const auto num = static_cast<int64_t>(own.size());
    for (int64_t i = 0; i < std::min(num, max_k); ++i)
      std::swap(own[i], own[i + static_cast<int64_t>(random.below(num - i))]);
    for (int64_t i = num; i < max_k; ++i)
      own.push_back(own[static_cast<int64_t>(random.below(num))]);
    drawn.insert(drawn.end(), own.begin(), own.begin() + std::min(k, max_k));
  }
  return drawn;
}

}  // namespace sequela
