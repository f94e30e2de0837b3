#include "sequela/evaluation/drawn_scores.h"

#include <gtest/gtest.h>

#include "sequela/core/random.h"

namespace sequela {
namespace {

constexpr int kRows = 300;

struct Drawn {
  std::vector<int64_t> subjects;
  std::vector<uint8_t> outcomes;

  Drawn() {
    for (int i = 0; i < kRows; ++i) {
      subjects.push_back(i / 2);
      outcomes.push_back(i % 3 == 0);
    }
  }
  // Scores that follow the outcomes by a share of 1 - noise.
  ScoredOutcomes scores(double noise, uint64_t seed) const {
    std::vector<double> scores;
    for (int i = 0; i < kRows; ++i)
      scores.push_back((1 - noise) * outcomes[i] + noise * to_uniform(hash_key(seed, i)));
    return {scores, outcomes};
  }
};

TEST(DrawnScores, AFigureIsTheMeanOverDraws) {
  const Drawn drawn;
  const std::vector<DrawnScores> runs = {
      {"good", 4, {drawn.scores(0.6, 1), drawn.scores(0.7, 2), drawn.scores(0.5, 3)}},
      {"poor", 4, {drawn.scores(0.9, 4), drawn.scores(0.95, 5)}}};
  const BootstrapOptions options{.num_resamples = 200};
  const DrawnSummary summary(runs, drawn.subjects, options);
  const DrawnResult& good = summary.results()[0];
  ASSERT_EQ(good.auroc_by_draw.size(), 3u);
  EXPECT_DOUBLE_EQ(good.auroc_by_draw[1], runs[0].by_draw[1].auroc());
  EXPECT_NEAR(good.auroc.value,
              (good.auroc_by_draw[0] + good.auroc_by_draw[1] + good.auroc_by_draw[2]) / 3, 1e-12);
  EXPECT_NEAR(good.average_precision_by_draw[2], runs[0].by_draw[2].average_precision(), 1e-12);
  // The interval is that of the mean, resampled by subject.
  const Interval expected = bootstrap(
      [&](auto weights) {
        double sum = 0;
        for (const ScoredOutcomes& scored : runs[0].by_draw) sum += scored.auroc(weights) / 3;
        return sum;
      },
      drawn.subjects, options);
  EXPECT_NEAR(good.auroc.low, expected.low, 1e-12);
  EXPECT_NEAR(good.auroc.high, expected.high, 1e-12);

  const DrawnDifference difference = summary.difference(0, 1);
  EXPECT_NEAR(difference.auroc.difference.value,
              good.auroc.value - summary.results()[1].auroc.value, 1e-12);
  EXPECT_GT(difference.auroc.difference.low, 0);
  EXPECT_LE(difference.auroc.p_value, 0.01);
}

TEST(DrawnScores, RunsOfOtherRowsAreRefused) {
  const Drawn drawn;
  const std::vector<int64_t> fewer(drawn.subjects.begin(), drawn.subjects.end() - 1);
  const std::vector<DrawnScores> runs = {{"a", 1, {drawn.scores(0.5, 1)}}};
  EXPECT_THROW(DrawnSummary(runs, fewer, {}), std::invalid_argument);
  const std::vector<DrawnScores> none = {{"a", 1, {}}};
  EXPECT_THROW(DrawnSummary(none, drawn.subjects, {}), std::invalid_argument);
}

}  // namespace
}  // namespace sequela
