#include "sequela/evaluation/probe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/nan.h"
#include "sequela/core/random.h"
#include "sequela/evaluation/text_table.h"

namespace sequela {
namespace {

// Two rows a subject; the outcome depends on the first two of 30 columns.
struct Cohort {
  DenseMatrix features{1200, 30, {}};
  std::vector<uint8_t> outcomes;
  std::vector<int64_t> subject_ids;

  Cohort() {
    Random random(8);
    for (int row = 0; row < 1200; ++row) {
      const size_t first = features.values.size();
      for (int c = 0; c < 30; ++c) features.values.push_back(static_cast<float>(random.normal()));
      const double logit = -1 + 1.2 * features.values[first] - 0.8 * features.values[first + 1];
      outcomes.push_back(random.uniform() < 1 / (1 + std::exp(-logit)));
      subject_ids.push_back(row / 2);
    }
  }
  LabelledRows rows() const {
    return {outcomes, subject_ids, split_by_subject(subject_ids, 0.4, 3)};
  }
};

TEST(Probe, SplitsBySubject) {
  const Cohort cohort;
  const RowSplit split = split_by_subject(cohort.subject_ids, 0.4, 3);
  EXPECT_EQ(split.train.size() + split.test.size(), 1200u);
  EXPECT_NEAR(static_cast<double>(split.test.size()), 480, 60);
  std::set<int64_t> train;
  for (const int64_t row : split.train) train.insert(cohort.subject_ids[row]);
  for (const int64_t row : split.test) EXPECT_EQ(train.count(cohort.subject_ids[row]), 0u);
}

TEST(Probe, FindsASignalAndIsCalibrated) {
  const Cohort cohort;
  const ProbeResult result = evaluate_probe("signal", cohort.features, cohort.rows(), {}, {});
  EXPECT_GT(result.auroc.value, 0.75);
  EXPECT_LT(result.auroc.low, result.auroc.value);
  EXPECT_GT(result.auroc.high, result.auroc.value);
  EXPECT_NEAR(result.calibration.slope, 1, 0.35);
  EXPECT_EQ(result.num_train + result.num_test, 1200);
  EXPECT_EQ(static_cast<int64_t>(result.test_scores.size()), result.num_test);
}

TEST(Probe, FindsNothingInNoise) {
  Cohort cohort;
  Random random(1);
  for (uint8_t& outcome : cohort.outcomes) outcome = random.uniform() < 0.3;
  const ProbeResult result = evaluate_probe("noise", cohort.features, cohort.rows(), {}, {});
  EXPECT_LT(result.auroc.low, 0.5);
  EXPECT_GT(result.auroc.high, 0.5);
  EXPECT_GE(result.l2, 0.1);  // cross-validation sees that there is nothing to learn
}

TEST(Probe, IsTheSameForAnyNumberOfThreads) {
  const Cohort cohort;
  const Probe one = fit_probe(cohort.features, cohort.outcomes, cohort.subject_ids, {});
  const Probe three =
      fit_probe(cohort.features, cohort.outcomes, cohort.subject_ids, {.num_threads = 3});
  EXPECT_EQ(one.model.weights, three.model.weights);
  EXPECT_EQ(one.fold_losses, three.fold_losses);
}

TEST(Probe, ComparesTwoModelsOnTheSameRows) {
  const Cohort cohort;
  DenseMatrix worse{1200, 1, {}};
  for (int row = 0; row < 1200; ++row) worse.values.push_back(cohort.features.row(row)[1]);
  const LabelledRows rows = cohort.rows();
  const ProbeResult a = evaluate_probe("all", cohort.features, rows, {}, {});
  const ProbeResult b = evaluate_probe("one", worse, rows, {}, {});
  const Interval difference = auroc_difference(a, b, rows, {});
  EXPECT_NEAR(difference.value, a.auroc.value - b.auroc.value, 1e-12);
  EXPECT_GT(difference.low, 0);
  // Paired, it is narrower than the two intervals suggest.
  EXPECT_LT(difference.high - difference.low,
            a.auroc.high - a.auroc.low + b.auroc.high - b.auroc.low);
}

TEST(Probe, RefusesBadOptions) {
  const Cohort cohort;
  EXPECT_THROW(fit_probe(cohort.features, cohort.outcomes, cohort.subject_ids, {.num_folds = 1}),
               ConfigError);
  EXPECT_THROW(fit_probe(cohort.features, cohort.outcomes, cohort.subject_ids, {.l2_choices = {}}),
               ConfigError);
}

TEST(TextTable, AlignsColumns) {
  EXPECT_EQ(format_text_table({"name", "n"}, {{"a", "10"}, {"Höhe", "5"}}),
            "name   n\n"
            "--------\n"
            "a     10\n"
            "Höhe   5\n");
}

TEST(TextTable, ShowsDifferences) {
  EXPECT_EQ(signed_text({.041, -.003, .085}), "+0.041 (-0.003 to +0.085)");
  EXPECT_EQ(signed_text({-.041, kNaN, kNaN}), "-0.041");
  EXPECT_EQ(signed_text({kNaN, kNaN, kNaN}), "-");
  EXPECT_EQ(p_text(0.0341), "0.034");
  EXPECT_EQ(p_text(0.0004), "<0.001");
  EXPECT_EQ(p_text(kNaN), "-");
}

TEST(TextTable, ShowsResults) {
  ProbeResult result;
  result.name = "age and sex";
  result.num_test = 120;
  result.auroc = {.7, .6, .8};
  const std::string text = format_results({result});
  EXPECT_NE(text.find("age and sex"), std::string::npos);
  EXPECT_NE(text.find("0.700 (0.600-0.800)"), std::string::npos);
}

}  // namespace
}  // namespace sequela
