#include "sequela/evaluation/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace sequela {
namespace {

ScoredOutcomes example() {
  return ScoredOutcomes({.9, .8, .8, .7, .6, .55, .5, .5, .4, .3, .2, .1},
                        {1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0});
}

// Expected numbers are scikit-learn 1.9's.
TEST(Metrics, EqualScikitLearn) {
  const ScoredOutcomes scored = example();
  EXPECT_NEAR(scored.auroc(), 0.8285714285714285, 1e-12);
  EXPECT_NEAR(scored.average_precision(), 0.7416666666666667, 1e-12);
  EXPECT_NEAR(scored.brier(), 0.17854166666666668, 1e-12);
  EXPECT_NEAR(scored.log_loss(), 0.5325869709809411, 1e-12);
}

TEST(Metrics, EqualScikitLearnWithWeights) {
  const std::vector<double> weights = {1, 0, 2, 1, 3, 1, 0, 2, 1, 1, 1, 1};
  EXPECT_NEAR(example().auroc(weights), 0.6222222222222222, 1e-12);
  EXPECT_NEAR(example().average_precision(weights), 0.575, 1e-12);
}

TEST(Metrics, CalibrationEqualsAnUnpenalisedFit) {
  const Calibration calibration = fit_calibration(example());
  EXPECT_NEAR(calibration.intercept, -0.73772304, 1e-4);
  EXPECT_NEAR(calibration.slope, 1.42874804, 1e-4);
}

TEST(Metrics, CalibrationIsUndefinedWhereNothingVaries) {
  EXPECT_TRUE(std::isnan(fit_calibration(ScoredOutcomes({.5, .5, .5}, {0, 1, 0})).slope));
  EXPECT_TRUE(std::isnan(fit_calibration(ScoredOutcomes({.2, .4, .8}, {0, 0, 1})).slope));
}

TEST(Metrics, AreUndefinedForOneClass) {
  const ScoredOutcomes scored({.1, .2}, {1, 1});
  EXPECT_TRUE(std::isnan(scored.auroc()));
  EXPECT_TRUE(std::isnan(scored.average_precision()));
  EXPECT_TRUE(std::isnan(ScoredOutcomes({}, {}).auroc()));
  EXPECT_TRUE(std::isnan(ScoredOutcomes({}, {}).brier()));
}

TEST(Metrics, AllTiedIsAHalf) {
  EXPECT_EQ(ScoredOutcomes({1, 1, 1, 1}, {0, 1, 0, 1}).auroc(), 0.5);
}

TEST(Metrics, RefuseWhatIsNoScoreOrOutcome) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(ScoredOutcomes({nan}, {1}), std::invalid_argument);
  EXPECT_THROW(ScoredOutcomes({.5}, {2}), std::invalid_argument);
  EXPECT_THROW(ScoredOutcomes({.5}, {}), std::invalid_argument);
}

TEST(Metrics, CurveEndsAtAllRows) {
  const auto curve = threshold_curve(example());
  ASSERT_EQ(curve.size(), 10u);  // two scores are shared
  EXPECT_EQ(curve.front().precision, 1);
  EXPECT_EQ(curve.back().true_positive_rate, 1);
  EXPECT_EQ(curve.back().false_positive_rate, 1);
  double area = 0, last_fpr = 0, last_tpr = 0;
  for (const CurvePoint& point : curve) {
    area += (point.false_positive_rate - last_fpr) * (point.true_positive_rate + last_tpr) / 2;
    last_fpr = point.false_positive_rate;
    last_tpr = point.true_positive_rate;
  }
  EXPECT_NEAR(area, example().auroc(), 1e-12);
}

TEST(Metrics, BinsHoldEachRowOnce) {
  const auto bins = calibration_bins(example(), 5);
  ASSERT_EQ(bins.size(), 5u);
  int64_t num_rows = 0;
  for (const CalibrationBin& bin : bins) num_rows += bin.num_rows;
  EXPECT_EQ(num_rows, 12);
  EXPECT_NEAR(bins[0].mean_score, 0.15, 1e-12);
  EXPECT_EQ(bins[0].positive_rate, 0);
  EXPECT_EQ(calibration_bins(ScoredOutcomes({.5}, {1}), 10).size(), 1u);
}

}  // namespace
}  // namespace sequela
