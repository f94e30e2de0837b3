#include "sequela/batch/plan.h"

#include <gtest/gtest.h>

namespace sequela {
namespace {

// A record of `num_tokens` tokens, a day apart.
Sequence daily_record(int64_t num_tokens) {
  Sequence sequence;
  for (int64_t day = 0; day < num_tokens; ++day) sequence.times_us.push_back(day * kMicrosPerDay);
  return sequence;
}

double kept_fraction(int64_t num_tokens, double label_fraction) {
  const Sequence sequence = daily_record(num_tokens);
  return plan_window(0, sequence, sequence.times_us.back(), 4'096, label_fraction)->label_fraction;
}

// 101 tokens: the last one has nothing ahead, the window's first has no label, so 99 have one.
TEST(Plan, TheShareOfLabelsIsOfTheWindowsTokens) {
  EXPECT_DOUBLE_EQ(kept_fraction(101, kLabelFraction), 10.0 / 99);
  EXPECT_DOUBLE_EQ(kept_fraction(101, 0.4), 40.0 / 99);
  EXPECT_DOUBLE_EQ(kept_fraction(101, 0.001), 5.0 / 99);
  EXPECT_DOUBLE_EQ(kept_fraction(101, 1), 1);
  EXPECT_DOUBLE_EQ(kept_fraction(5, kLabelFraction), 1);
}

TEST(Plan, SoManyLabelsAreSelected) {
  const Sequence sequence = daily_record(4'000);
  const int64_t last_us = sequence.times_us.back();
  for (const double label_fraction : {0.1, 0.4, 1.0}) {
    std::vector<int32_t> tokens;
    const Window window = *plan_window(0, sequence, last_us, 4'096, label_fraction);
    select_labels(sequence, window, last_us, 97, tokens);
    EXPECT_NEAR(static_cast<double>(tokens.size()), 4'000 * label_fraction, 100);
  }
}

}  // namespace
}  // namespace sequela
