#include "sequela/evaluation/few_shot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace sequela {
namespace {

struct Rows {
  std::vector<int64_t> rows;
  std::vector<uint8_t> outcomes;
};

Rows made_up_rows(int64_t negative, int64_t positive) {
  Rows made;
  made.rows.resize(negative + positive);
  std::iota(made.rows.begin(), made.rows.end(), 0);
  for (int64_t i = 0; i < negative + positive; ++i) made.outcomes.push_back(i >= negative);
  return made;
}

int64_t num_positive(const Rows& made, const std::vector<int64_t>& drawn) {
  return std::ranges::count_if(drawn, [&](int64_t row) { return made.outcomes[row] != 0; });
}

TEST(FewShot, TakesAsManyOfEachOutcome) {
  const Rows made = made_up_rows(300, 200);
  for (const int64_t k : kFewShots) {
    const auto drawn = draw_few_shots(made.rows, made.outcomes, k, 128, 7);
    ASSERT_EQ(drawn.size(), 2 * k);
    EXPECT_EQ(num_positive(made, drawn), k);
    EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 2 * k);  // none twice
  }
}

TEST(FewShot, SmallerDrawsArePartsOfLargerOnes) {
  const Rows made = made_up_rows(500, 40);
  const auto all = draw_few_shots(made.rows, made.outcomes, 128, 128, 7);
  for (const int64_t k : kFewShots) {
    const auto drawn = draw_few_shots(made.rows, made.outcomes, k, 128, 7);
    EXPECT_TRUE(std::equal(drawn.begin(), drawn.begin() + k, all.begin()));
    EXPECT_TRUE(std::equal(drawn.begin() + k, drawn.end(), all.begin() + 128));
  }
}

// 40 positives: all of them stand in a draw of 128, and the rest repeats some.
TEST(FewShot, FillsUpARareOutcomeWithRepeats) {
  const Rows made = made_up_rows(500, 40);
  const auto drawn = draw_few_shots(made.rows, made.outcomes, 128, 128, 3);
  std::map<int64_t, int> times;
  for (const int64_t row : drawn) ++times[row];
  EXPECT_EQ(num_positive(made, drawn), 128);
  for (int64_t row = 500; row < 540; ++row) EXPECT_GE(times[row], 1);
  for (int64_t row = 0; row < 500; ++row) EXPECT_LE(times[row], 1);
  // Those of k = 32 do not repeat: there are enough.
  const auto few = draw_few_shots(made.rows, made.outcomes, 32, 128, 3);
  EXPECT_EQ(std::set(few.begin(), few.end()).size(), 64u);
}

TEST(FewShot, EveryRowIsAsLikely) {
  const Rows made = made_up_rows(10, 10);
  std::map<int64_t, int> times;
  constexpr int kDraws = 20'000;
  for (int draw = 0; draw < kDraws; ++draw) {
    for (const int64_t row : draw_few_shots(made.rows, made.outcomes, 2, 4, draw)) ++times[row];
  }
  // 2 of 10: a standard deviation is 57 of 4,000.
  for (const auto& [row, count] : times) EXPECT_NEAR(count, kDraws / 5, 250) << row;
}

TEST(FewShot, OneOutcomeAlone) {
  const Rows made = made_up_rows(8, 0);
  EXPECT_EQ(draw_few_shots(made.rows, made.outcomes, 4, 8, 1).size(), 4u);
  EXPECT_TRUE(draw_few_shots({}, made.outcomes, 4, 8, 1).empty());
}

}  // namespace
}  // namespace sequela
