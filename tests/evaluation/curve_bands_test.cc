#include "sequela/evaluation/curve_bands.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sequela/core/random.h"
#include "sequela/evaluation/binary_metrics.h"
#include "sequela/evaluation/curves.h"

namespace sequela {
namespace {

struct Scored {
  std::vector<double> probabilities;
  std::vector<uint8_t> outcomes;
  std::vector<int64_t> subjects;

  // Outcomes that follow the probabilities, of which many are equal.
  explicit Scored(int num_rows, double step = 0.02) {
    for (int i = 0; i < num_rows; ++i) {
      const double p = std::round(to_uniform(hash_key(1, i)) / step) * step;
      probabilities.push_back(std::min(1.0, p));
      outcomes.push_back(to_uniform(hash_key(2, i)) < p);
      subjects.push_back(i / 3);
    }
  }
  CurveBands bands(int num_resamples = 100) const {
    return find_curve_bands({probabilities, outcomes, subjects}, {.num_resamples = num_resamples});
  }
};

TEST(CurveBands, TheRocCurvesMeanIsTheArea) {
  const Scored scored(3000, 0.001);
  const CurveBand roc = scored.bands().roc;
  ASSERT_EQ(roc.places.size(), 101u);
  EXPECT_EQ(roc.places.front(), 0);
  EXPECT_EQ(roc.values.back().value, 1);
  double area = 0;
  for (size_t i = 1; i < roc.places.size(); ++i)
    area += (roc.values[i].value + roc.values[i - 1].value) / 200;
  EXPECT_NEAR(area, ScoredOutcomes(scored.probabilities, scored.outcomes).auroc(), 1e-3);
  for (size_t i = 1; i < roc.places.size(); ++i)
    EXPECT_GE(roc.values[i].value, roc.values[i - 1].value);
}

// By hand: scores 0.8 (+ -), 0.5 (+), 0.2 (-).
TEST(CurveBands, FewRowsByHand) {
  const std::vector<double> probabilities = {0.5, 0.8, 0.8, 0.2};
  const std::vector<uint8_t> outcomes = {1, 1, 0, 0};
  const std::vector<int64_t> subjects = {1, 2, 3, 4};
  const CurveBands bands = find_curve_bands({probabilities, outcomes, subjects}, {});
  const auto roc = [&](int percent) { return bands.roc.values[percent].value; };
  EXPECT_DOUBLE_EQ(roc(0), 0);
  EXPECT_DOUBLE_EQ(roc(25), 0.25);  // half way to (1/2, 1/2), the tied pair
  EXPECT_DOUBLE_EQ(roc(50), 1);     // of the points at that rate the last
  EXPECT_DOUBLE_EQ(roc(75), 1);
  const auto precision = [&](int percent) {
    return bands.precision_recall.values[percent - 1].value;
  };
  EXPECT_DOUBLE_EQ(precision(50), 0.5);
  EXPECT_DOUBLE_EQ(precision(51), 2.0 / 3);
  EXPECT_DOUBLE_EQ(precision(100), 2.0 / 3);
}

TEST(CurveBands, DecisionAndCalibrationAreThoseOfTheCurves) {
  const Scored scored(2000);
  const CurveBands bands = scored.bands();
  const BinaryMetrics metrics(scored.probabilities, scored.outcomes);
  const auto decision = decision_curve(metrics.scored());
  ASSERT_EQ(decision.size(), bands.decision.places.size());
  for (size_t i = 0; i < decision.size(); ++i) {
    EXPECT_NEAR(bands.decision.places[i], decision[i].threshold, 1e-12);
    EXPECT_NEAR(bands.decision.values[i].value, decision[i].net_benefit, 1e-9);
  }
  // 51 distinct probabilities: each is a point of either curve.
  const auto curve = metrics.calibration_curve();
  for (size_t i = 0; i < bands.calibration.places.size(); ++i) {
    const auto place = std::ranges::lower_bound(curve.scores, bands.calibration.places[i] - 1e-9);
    ASSERT_NE(place, curve.scores.end());
    EXPECT_NEAR(bands.calibration.values[i].value, curve.rates[place - curve.scores.begin()], 1e-9);
  }
}

TEST(CurveBands, BandsHoldTheCurve) {
  const CurveBands bands = Scored(600).bands(200);
  int inside = 0, all = 0;
  for (const CurveBand* band :
       {&bands.roc, &bands.precision_recall, &bands.calibration, &bands.decision}) {
    for (const Interval& interval : band->values) {
      ++all;
      inside += interval.low <= interval.value && interval.value <= interval.high;
    }
  }
  EXPECT_GT(inside, 0.95 * all);
}

TEST(CurveBands, OneOutcomeHasNoRocCurve) {
  const std::vector<double> probabilities = {0.2, 0.4};
  const std::vector<uint8_t> outcomes = {0, 0};
  const std::vector<int64_t> subjects = {1, 2};
  const CurveBands bands = find_curve_bands({probabilities, outcomes, subjects}, {});
  EXPECT_TRUE(std::isnan(bands.roc.values[50].value));
  EXPECT_TRUE(std::isnan(bands.precision_recall.values[50].value));
  EXPECT_FALSE(std::isnan(bands.decision.values[50].value));
  EXPECT_TRUE(find_curve_bands({{}, {}, {}}, {}).roc.places.empty());
}

}  // namespace
}  // namespace sequela
