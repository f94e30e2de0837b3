#include "sequela/evaluation/boosted_trees.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/evaluation/bootstrap.h"
#include "sequela/evaluation/metrics.h"

namespace sequela {
namespace {

struct Rows {
  SparseMatrix features;
  std::vector<uint8_t> outcomes;
};

// The outcome is the exclusive or of columns 0 and 1, with one row in ten turned over.
Rows make_rows(int64_t num_rows, uint64_t seed) {
  Rows rows;
  rows.features.num_rows = num_rows;
  rows.features.num_columns = 6;
  Random random(seed);
  for (int64_t i = 0; i < num_rows; ++i) {
    bool is_set[6];
    for (int32_t column = 0; column < 6; ++column) {
      is_set[column] = random.below(2) == 1;
      if (!is_set[column]) continue;
      rows.features.columns.push_back(column);
      rows.features.values.push_back(1);
    }
    rows.features.row_offsets.push_back(static_cast<int64_t>(rows.features.columns.size()));
    const bool is_turned = random.below(10) == 0;
    rows.outcomes.push_back((is_set[0] != is_set[1]) != is_turned ? 1 : 0);
  }
  return rows;
}

TEST(BoostedTrees, LearnWhatNoLinearModelCan) {
  const Rows train = make_rows(600, 1), valid = make_rows(200, 2), test = make_rows(500, 3);
  const auto fit = [&](int num_threads) {
    BoostedTreesOptions options;
    options.num_threads = num_threads;
    return fit_boosted_trees({train.features, train.outcomes}, {valid.features, valid.outcomes},
                             test.features, options);
  };
  const BoostedTreesResult result = fit(1);
  EXPECT_GT(ScoredOutcomes(result.test_scores, test.outcomes).auroc(), 0.85);
  EXPECT_LE(result.num_rounds, 200);
  EXPECT_EQ(result.test_scores, fit(2).test_scores);
}

TEST(BoostedTrees, WithoutValidationAllRoundsCount) {
  const Rows train = make_rows(40, 1), none = make_rows(0, 2);
  BoostedTreesOptions options;
  options.max_rounds = 25;
  const auto result = fit_boosted_trees({train.features, train.outcomes},
                                        {none.features, none.outcomes}, train.features, options);
  EXPECT_EQ(result.num_rounds, 25);
  options.subsample = 0;
  EXPECT_THROW(fit_boosted_trees({train.features, train.outcomes}, {none.features, none.outcomes},
                                 train.features, options),
               ConfigError);
}

// p-values of a model that is better than another one, and of one that is not.
struct PValues {
  double of_better, of_equal, of_itself;
};

PValues draw_p_values(uint64_t seed) {
  Random random(seed);
  std::vector<double> good, same, poor;
  std::vector<uint8_t> outcomes;
  std::vector<int64_t> groups;
  for (int64_t i = 0; i < 300; ++i) {
    outcomes.push_back(random.below(2) == 1 ? 1 : 0);
    good.push_back(outcomes.back() + random.normal());
    same.push_back(outcomes.back() + random.normal());
    poor.push_back(random.normal());
    groups.push_back(i);
  }
  const ScoredOutcomes a(good, outcomes), b(same, outcomes), c(poor, outcomes);
  const auto p_value = [&](const ScoredOutcomes& x, const ScoredOutcomes& y) {
    BootstrapOptions options;
    options.num_resamples = 400;
    return paired_bootstrap(
               [&](std::span<const double> weights) { return x.auroc(weights) - y.auroc(weights); },
               groups, options)
        .p_value;
  };
  return {p_value(a, c), p_value(a, b), p_value(a, a)};
}

TEST(PairedBootstrap, FindsADifferenceAndSeldomOneThatIsNotThere) {
  int num_false = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const PValues p_values = draw_p_values(seed);
    EXPECT_EQ(p_values.of_better, 1.0 / 400);
    EXPECT_EQ(p_values.of_itself, 1);
    num_false += p_values.of_equal < 0.05 ? 1 : 0;
  }
  EXPECT_LE(num_false, 4);  // 1 is expected; more than 4 have probability 0.3 %
}

}  // namespace
}  // namespace sequela
