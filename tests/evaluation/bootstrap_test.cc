#include "sequela/evaluation/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "sequela/core/nan.h"
#include "sequela/core/random.h"

namespace sequela {
namespace {

WeightedMetric mean_of(const std::vector<double>& values) {
  return [&values](std::span<const double> weights) {
    double sum = 0, total = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double weight = weights.empty() ? 1 : weights[i];
      sum += weight * values[i];
      total += weight;
    }
    return sum / total;
  };
}

std::vector<double> draw_normal(int count) {
  Random random(4);
  std::vector<double> values(count);
  for (double& value : values) value = random.normal();
  return values;
}

TEST(Bootstrap, IntervalOfAMeanHasItsStandardError) {
  const std::vector<double> values = draw_normal(400);
  std::vector<int64_t> groups(400);
  std::iota(groups.begin(), groups.end(), 1000);
  const Interval interval = bootstrap(mean_of(values), groups, {.num_resamples = 4000});
  EXPECT_NEAR(interval.high - interval.low, 2 * 1.96 / 20, 0.02);
  EXPECT_LT(interval.low, interval.value);
  EXPECT_GT(interval.high, interval.value);
}

TEST(Bootstrap, KeepsTheRowsOfASubjectTogether) {
  std::vector<double> values = draw_normal(100), repeated;
  std::vector<int64_t> groups;
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < 4; ++k) {
      repeated.push_back(values[i]);
      groups.push_back(i);
    }
  }
  // Four copies of each row tell no more than one.
  const Interval interval = bootstrap(mean_of(repeated), groups);
  EXPECT_NEAR(interval.high - interval.low, 2 * 1.96 / 10, 0.06);
}

TEST(Bootstrap, IsTheSameForAnyNumberOfThreads) {
  const std::vector<double> values = draw_normal(50);
  std::vector<int64_t> groups(50);
  std::iota(groups.begin(), groups.end(), 0);
  const Interval one = bootstrap(mean_of(values), groups, {.seed = 9, .num_threads = 1});
  const Interval three = bootstrap(mean_of(values), groups, {.seed = 9, .num_threads = 3});
  const Interval other = bootstrap(mean_of(values), groups, {.seed = 10});
  EXPECT_EQ(one.low, three.low);
  EXPECT_EQ(one.high, three.high);
  EXPECT_NE(one.low, other.low);
}

TEST(Bootstrap, HasNoIntervalWhereTheMetricIsRarelyDefined) {
  const std::vector<int64_t> groups = {1, 2};
  const Interval interval = bootstrap(
      [](std::span<const double> weights) { return weights.empty() ? 0.5 : kNaN; }, groups);
  EXPECT_EQ(interval.value, 0.5);
  EXPECT_TRUE(std::isnan(interval.low));
}

TEST(Bootstrap, PrintsIntervals) {
  EXPECT_EQ(to_text(Interval{.8123, .7899, .8331}), "0.812 (0.790-0.833)");
  EXPECT_EQ(to_text(Interval{.8123, kNaN, kNaN}, 2), "0.81");
  EXPECT_EQ(to_text(Interval{kNaN, kNaN, kNaN}), "-");
}

}  // namespace
}  // namespace sequela
