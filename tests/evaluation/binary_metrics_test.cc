#include "sequela/evaluation/binary_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sequela/core/random.h"
#include "sequela/evaluation/bootstrap.h"
#include "sequela/evaluation/delong.h"
#include "sequela/evaluation/lowess.h"
#include "tests/evaluation/metric_numbers.h"

namespace sequela {
namespace {

using Values = std::array<double, kNumBinaryFigures>;

Values figures_of(const BinaryMetrics& metrics, std::span<const double> weights = {}) {
  Values values;
  metrics.compute(weights, values);
  return values;
}

double figure(const BinaryMetrics& metrics, BinaryFigure which) {
  return figures_of(metrics)[static_cast<size_t>(which)];
}

BinaryMetrics metrics_of(const Json& one) {
  return {numbers_of<double>(one["scores"]), numbers_of<uint8_t>(one["outcomes"])};
}

// Rows of many subjects with scores of which some are equal.
BinaryMetrics random_metrics(int count, std::vector<int64_t>* groups) {
  Random random(5);
  std::vector<double> scores;
  std::vector<uint8_t> outcomes;
  for (int i = 0; i < count; ++i) {
    scores.push_back(static_cast<double>(random.below(200) + 1) / 250);
    outcomes.push_back(random.uniform() < scores.back());
    groups->push_back(static_cast<int64_t>(random.below(count / 2)));
  }
  return {scores, outcomes};
}

TEST(BinaryMetrics, EqualThePeers) {
  for (const auto& [name, one] : read_metric_cases("binary.json")) {
    const Values values = figures_of(metrics_of(one), weights_of(one));
    for (const auto& [figure, expected] : one["figures"].items()) {
      const auto place = std::ranges::find(kBinaryFigureNames, figure) - kBinaryFigureNames.begin();
      ASSERT_LT(static_cast<size_t>(place), kNumBinaryFigures) << figure;
      EXPECT_NEAR(values[place], expected.get<double>(), kPeerTolerance) << name << " " << figure;
    }
    EXPECT_EQ(one["figures"].size(), kNumBinaryFigures);
  }
}

TEST(BinaryMetrics, LowessEqualsStatsmodels) {
  for (const auto& [name, one] : read_metric_cases("binary.json")) {
    const auto scores = numbers_of<double>(one["scores"]);
    const auto outcomes = numbers_of<double>(one["outcomes"]);
    const auto weights = weights_of(one);
    const auto x = numbers_of<double>(one["lowess_x"]), y = numbers_of<double>(one["lowess_y"]);
    std::vector<double> counts(x.size()), sums(x.size());
    for (size_t row = 0; row < scores.size(); ++row) {
      const auto place = std::ranges::find_if(
          x, [&](double value) { return std::abs(value - scores[row]) < 1e-9; });
      if (place == x.end()) continue;  // a row of weight 0
      const double weight = weights.empty() ? 1 : weights[row];
      counts[place - x.begin()] += weight;
      sums[place - x.begin()] += weight * outcomes[row];
    }
    const std::vector<double> curve = lowess({x, counts, sums});
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(curve[i], y[i], kPeerTolerance) << name;
  }
}

TEST(BinaryMetrics, LowessOfNothingAndOfOnePoint) {
  EXPECT_TRUE(lowess({}).empty());
  const std::vector<double> x = {0.1, 0.5}, weights = {0, 3}, sums = {0, 1};
  const std::vector<double> curve = lowess({x, weights, sums});
  EXPECT_TRUE(std::isnan(curve[0]));
  EXPECT_NEAR(curve[1], 1.0 / 3, 1e-12);
}

TEST(BinaryMetrics, AgreeWithScoredOutcomes) {
  std::vector<int64_t> groups;
  const BinaryMetrics metrics = random_metrics(500, &groups);
  EXPECT_NEAR(figure(metrics, BinaryFigure::auroc), metrics.scored().auroc(), 1e-12);
  EXPECT_NEAR(figure(metrics, BinaryFigure::log_loss), metrics.scored().log_loss(), 1e-12);
  EXPECT_NEAR(figure(metrics, BinaryFigure::calibration_slope),
              fit_calibration(metrics.scored()).slope, 1e-9);
}

TEST(BinaryMetrics, RowsOfASubsetTakeTheirWeights) {
  const std::vector<int32_t> rows = {4, 0, 2};
  const BinaryMetrics subset({.9, .2, .4}, {1, 0, 1}, rows);
  const BinaryMetrics own({.9, .2, .4}, {1, 0, 1});
  const std::vector<double> weights = {3, 9, 2, 9, 5}, own_weights = {5, 3, 2};
  const Values a = figures_of(subset, weights), b = figures_of(own, own_weights);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) << kBinaryFigureNames[i];
  }
}

TEST(BinaryMetrics, SayWhyAFigureIsNotDefined) {
  const auto why_not = [](const BinaryMetrics& metrics, BinaryFigure which) {
    EXPECT_EQ(std::isnan(figure(metrics, which)), !metrics.why_not(which).empty());
    return metrics.why_not(which);
  };
  using enum BinaryFigure;
  const BinaryMetrics none({}, {}), negative({.1, .4, .4}, {0, 0, 0}), positive({.1, .4}, {1, 1});
  const BinaryMetrics flat({.5, .5, .5}, {0, 1, 0}), split({.2, .4, .8}, {0, 0, 1});
  EXPECT_EQ(why_not(none, brier), "no rows");
  EXPECT_EQ(why_not(negative, auroc), "no positive row");
  EXPECT_EQ(why_not(negative, sensitivity_at_5_percent), "no positive row");
  EXPECT_EQ(why_not(negative, precision_at_5_percent), "");
  EXPECT_EQ(why_not(positive, average_precision), "no negative row");
  EXPECT_EQ(why_not(positive, calibration_in_the_large), "no negative row");
  EXPECT_EQ(why_not(flat, calibration_slope), "all scores are equal");
  EXPECT_EQ(why_not(flat, calibration_in_the_large), "");
  EXPECT_EQ(why_not(split, calibration_intercept), "the scores separate the outcomes perfectly");
  for (const BinaryMetrics* metrics : {&none, &negative, &positive, &flat, &split}) {
    for (size_t i = 0; i < kNumBinaryFigures; ++i) why_not(*metrics, static_cast<BinaryFigure>(i));
  }
}

TEST(BinaryMetrics, ProbabilitiesOfZeroAndOneAreFinite) {
  const BinaryMetrics metrics({0, 1, 0, 1, .5}, {0, 1, 1, 0, 1});
  for (const double value : figures_of(metrics)) EXPECT_TRUE(std::isfinite(value));
}

TEST(BinaryMetrics, ManyDistinctScoresAreGatheredWithoutHarm) {
  Random random(8);
  std::vector<double> scores;
  std::vector<uint8_t> outcomes;
  for (int i = 0; i < 6000; ++i) {
    scores.push_back(random.uniform());
    outcomes.push_back(random.uniform() < scores.back() * scores.back());
  }
  const BinaryMetrics metrics(scores, outcomes);
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t row) { return scores[row]; });
  std::vector<double> x, ones(scores.size(), 1), y;
  for (const size_t row : order) {
    x.push_back(scores[row]);
    y.push_back(outcomes[row]);
  }
  const std::vector<double> curve = lowess({x, ones, y}, {.delta = (x.back() - x.front()) / 100});
  double distance = 0;
  for (size_t i = 0; i < x.size(); ++i) distance += std::abs(curve[i] - x[i]);
  EXPECT_NEAR(figure(metrics, BinaryFigure::integrated_calibration_index),
              distance / static_cast<double>(x.size()), 1e-4);
  EXPECT_LE(metrics.calibration_curve().scores.size(), 2000u);
}

TEST(BinaryMetrics, ResampleToTheSameDigitsOnAnyNumberOfThreads) {
  std::vector<int64_t> groups;
  const BinaryMetrics metrics = random_metrics(300, &groups);
  const WeightedMetrics all = [&](auto weights, auto values) { metrics.compute(weights, values); };
  const auto run = [&](int num_threads) {
    return resample_figures(all, kNumBinaryFigures, groups,
                            {.num_resamples = 60, .seed = 3, .num_threads = num_threads});
  };
  const ResampledFigures one = run(1), four = run(4);
  EXPECT_EQ(one.values, four.values);
  EXPECT_EQ(one.resampled, four.resampled);
  // The same draws as for one figure alone.
  const Interval auroc = bootstrap([&](auto weights) { return metrics.scored().auroc(weights); },
                                   groups, {.num_resamples = 60, .seed = 3});
  const Interval same = to_interval(one.values[0], one.resampled[0]);
  EXPECT_NEAR(auroc.low, same.low, 1e-12);
  EXPECT_NEAR(auroc.high, same.high, 1e-12);
}

TEST(BinaryMetrics, DelongEqualsItsDefinition) {
  int num_cases = 0;
  for (const auto& [name, one] : read_metric_cases("binary.json")) {
    if (!one.contains("delong")) continue;
    const auto outcomes = numbers_of<uint8_t>(one["outcomes"]);
    const ScoredOutcomes first(numbers_of<double>(one["scores"]), outcomes);
    const ScoredOutcomes second(numbers_of<double>(one["other_scores"]), outcomes);
    const Json& expected = one["delong"];
    const Interval interval = delong_interval(first);
    EXPECT_NEAR(interval.low, expected["low"].get<double>(), kPeerTolerance) << name;
    EXPECT_NEAR(interval.high, expected["high"].get<double>(), kPeerTolerance) << name;
    const PairedTest test = delong_test(first, second);
    EXPECT_NEAR(test.difference.value, expected["difference"].get<double>(), kPeerTolerance);
    EXPECT_NEAR(test.difference.low, expected["difference_low"].get<double>(), kPeerTolerance);
    EXPECT_NEAR(test.difference.high, expected["difference_high"].get<double>(), kPeerTolerance);
    EXPECT_NEAR(test.p_value, expected["p_value"].get<double>(), kPeerTolerance);
    ++num_cases;
  }
  EXPECT_EQ(num_cases, 3);
}

TEST(BinaryMetrics, DelongIsUndefinedWithOnePositiveOrNoDifference) {
  const ScoredOutcomes one_positive({.1, .2, .9}, {0, 0, 1});
  EXPECT_EQ(delong_interval(one_positive).value, 1);
  EXPECT_TRUE(std::isnan(delong_interval(one_positive).low));
  const ScoredOutcomes scored({.1, .7, .9, .3}, {0, 0, 1, 1});
  EXPECT_TRUE(std::isnan(delong_test(scored, scored).p_value));
  EXPECT_TRUE(std::isnan(delong_interval(ScoredOutcomes({.1}, {0})).value));
}

TEST(Holm, AdjustsByRank) {
  const double nan = std::nan("");
  const std::vector<double> adjusted = adjust_by_holm({0.01, 0.04, nan, 0.03, 0.005});
  // statsmodels' multipletests(method="holm") of the four.
  EXPECT_NEAR(adjusted[0], 0.03, 1e-12);
  EXPECT_NEAR(adjusted[1], 0.06, 1e-12);
  EXPECT_TRUE(std::isnan(adjusted[2]));
  EXPECT_NEAR(adjusted[3], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[4], 0.02, 1e-12);
  EXPECT_EQ(adjust_by_holm({0.9, 0.8}).front(), 1);
  EXPECT_TRUE(adjust_by_holm({}).empty());
}

}  // namespace
}  // namespace sequela
