#include "sequela/tokenizer/reservoir.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sequela/core/random.h"

namespace sequela {
namespace {

std::vector<float> sample(int32_t size, int64_t first, int64_t end, int64_t step) {
  Reservoir reservoir(size);
  for (int64_t i = first; i != end; i += step) {
    const uint64_t hash = hash_key(97, i);
    const double inverse_weight = 1 + static_cast<double>(i % 7);
    if (hash <= reservoir.hash_limit(inverse_weight)) {
      reservoir.add(hash, inverse_weight, static_cast<float>(i));
    }
  }
  return reservoir.sorted_values();
}

TEST(Reservoir, KeepsAllBelowItsSize) {
  std::vector<float> all;
  for (int i = 0; i < 100; ++i) all.push_back(static_cast<float>(i));
  EXPECT_EQ(sample(100, 0, 100, 1), all);
}

TEST(Reservoir, DoesNotDependOnTheOrder) {
  EXPECT_EQ(sample(500, 0, 20'000, 1), sample(500, 19'999, -1, -1));
}

TEST(Reservoir, MergesToTheSampleOfTheWhole) {
  Reservoir parts[2] = {Reservoir(500), Reservoir(500)};
  for (int64_t i = 0; i < 20'000; ++i) {
    parts[i % 3 == 0].add(hash_key(97, i), 1 + static_cast<double>(i % 7), static_cast<float>(i));
  }
  Reservoir whole(500);
  whole.merge(parts[0]);
  whole.merge(parts[1]);
  EXPECT_EQ(whole.sorted_values(), sample(500, 0, 20'000, 1));
}

TEST(Reservoir, DrawsByWeight) {
  // Half of the values weigh three times the others; far below exhaustion, so do their shares.
  Reservoir reservoir(2'000);
  for (int64_t i = 0; i < 200'000; ++i) {
    reservoir.add(hash_key(5, i), i % 2 == 0 ? 1 : 3, i % 2 == 0 ? 1.0f : 0.0f);
  }
  const std::vector<float> values = reservoir.sorted_values();
  const auto num_heavy = static_cast<double>(std::count(values.begin(), values.end(), 1.0f));
  EXPECT_NEAR(num_heavy / 2'000, 0.75, 0.04);
}

}  // namespace
}  // namespace sequela
