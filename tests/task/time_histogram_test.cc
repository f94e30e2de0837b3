#include "sequela/task/time_histogram.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/random.h"
#include "sequela/core/time.h"

namespace sequela {
namespace {

// Times from a second to thousands of years, spread over the octaves.
int64_t random_time_us(Random& random) {
  return static_cast<int64_t>(std::exp2(20 + 37 * random.uniform()));
}

const std::vector<double> kShares = {0, 0.125, 0.5, 0.9, 1};

std::vector<double> exact_quantiles(std::vector<int64_t> times) {
  std::sort(times.begin(), times.end());
  std::vector<double> result;
  for (double share : kShares) {
    const double at = share * static_cast<double>(times.size() - 1);
    const auto low = static_cast<size_t>(at);
    const size_t high = std::min(low + 1, times.size() - 1);
    const double t = at - static_cast<double>(low);
    result.push_back(
        (static_cast<double>(times[low]) * (1 - t) + static_cast<double>(times[high]) * t) /
        kMicrosPerSecond);
  }
  return result;
}

TEST(TimeHistogram, IsExactWhileAllTimesAreKept) {
  TimeHistogram histogram;
  histogram.add(30 * kMicrosPerSecond, 1);
  histogram.add(10 * kMicrosPerSecond, 2);
  const auto quantiles = histogram.quantiles(std::vector<double>{0, 0.5, 0.75, 1});
  EXPECT_EQ(quantiles, (std::vector<double>{10, 10, 20, 30}));
}

TEST(TimeHistogram, IsCloseBeyond) {
  TimeHistogram histogram;
  std::vector<int64_t> times;
  Random random(3);
  for (int i = 0; i < 300'000; ++i) {
    times.push_back(random_time_us(random));
    histogram.add(times.back(), 1);
  }
  const auto actual = histogram.quantiles(kShares), expected = exact_quantiles(times);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i] / expected[i], 1, 1e-3);
}

TEST(TimeHistogram, MergesToTheHistogramOfTheWhole) {
  for (int num_times : {1'000, 90'000, 130'000}) {
    TimeHistogram whole, parts[2], merged;
    Random random(4);
    for (int i = 0; i < num_times; ++i) {
      const int64_t time_us = random_time_us(random);
      whole.add(time_us, 1);
      parts[i % 2].add(time_us, 1);
    }
    merged.merge(parts[1]);
    merged.merge(parts[0]);
    EXPECT_EQ(merged.count(), num_times);
    EXPECT_EQ(merged.quantiles(kShares), whole.quantiles(kShares)) << num_times << " times";
  }
}

}  // namespace
}  // namespace sequela
