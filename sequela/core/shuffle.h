#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "sequela/core/random.h"

namespace sequela {

// Puts values into an order by chance, each order as likely (Knuth, The Art of Computer
// Programming, algorithm 3.4.2P). Draws one number for each value but the first.
template <class T>
void shuffle(std::vector<T>& values, Random& random) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

// The order depends on the key alone.
template <class T>
void shuffle(std::vector<T>& values, uint64_t key) {
  Random random(key);
  shuffle(values, random);
}

}  // namespace sequela
