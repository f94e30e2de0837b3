#include "sequela/evaluation/concordance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "sequela/core/random.h"

namespace sequela {
namespace {

struct Rows {
  std::vector<float> seconds, hazards;
  std::vector<uint8_t> is_event;
  std::vector<double> edges;

  HazardRows view() const { return {seconds, is_event, hazards, edges}; }
};

// The definition, pair by pair.
double by_pairs(const Rows& rows) {
  const size_t bins = rows.edges.size() - 1;
  double concordant = 0, pairs = 0;
  for (size_t i = 0; i < rows.seconds.size(); ++i) {
    if (!rows.is_event[i]) continue;
    size_t bin = 0;
    while (rows.seconds[i] >= rows.edges[bin + 1]) ++bin;
    for (size_t j = 0; j < rows.seconds.size(); ++j) {
      const bool is_at_risk = rows.seconds[j] > rows.seconds[i] ||
                              (rows.seconds[j] == rows.seconds[i] && !rows.is_event[j]);
      if (!is_at_risk) continue;
      const float own = rows.hazards[i * bins + bin], other = rows.hazards[j * bins + bin];
      concordant += own > other ? 1 : own == other ? 0.5 : 0;
      ++pairs;
    }
  }
  return concordant / pairs;
}

Rows random_rows(int64_t count, int64_t bins, int distinct_times, int distinct_hazards) {
  Random random(17 + count);
  Rows rows;
  for (int64_t k = 0; k < bins; ++k) rows.edges.push_back(static_cast<double>(10 * k));
  rows.edges.push_back(std::numeric_limits<double>::infinity());
  for (int64_t i = 0; i < count; ++i) {
    // Often on a bin's edge.
    rows.seconds.push_back(static_cast<float>(random.below(distinct_times)) * 2.5f);
    rows.is_event.push_back(random.below(3) == 0);
    for (int64_t k = 0; k < bins; ++k)
      rows.hazards.push_back(static_cast<float>(random.below(distinct_hazards)));
  }
  return rows;
}

TEST(Concordance, EqualsTheDefinitionPairByPair) {
  for (const auto& [count, bins, times, hazards] :
       {std::tuple{2, 1, 2, 2}, {37, 1, 20, 5}, {151, 3, 12, 40}, {400, 8, 64, 1'000'000}}) {
    const Rows rows = random_rows(count, bins, times, hazards);
    const double expected = by_pairs(rows);
    if (std::isnan(expected)) continue;
    EXPECT_NEAR(time_dependent_concordance(rows.view()), expected, 1e-12) << count;
  }
}

TEST(Concordance, IsOneForTheRightOrderAndHalfForNone) {
  Rows rows{{1, 2, 3, 4}, {4, 3, 2, 1}, {1, 1, 1, 0}, {0, 1e9}};
  EXPECT_EQ(time_dependent_concordance(rows.view()), 1);
  rows.hazards = {1, 2, 3, 4};
  EXPECT_EQ(time_dependent_concordance(rows.view()), 0);
  rows.hazards = {7, 7, 7, 7};
  EXPECT_EQ(time_dependent_concordance(rows.view()), 0.5);
}

TEST(Concordance, AnOrderThatChangesWithTimeCountsAtEachTime) {
  // Row 0 is the likelier one early, row 1 late; each has its event when it is.
  const Rows rows{{1, 15, 20}, {9, 0, 1, 9, 2, 3}, {1, 1, 0}, {0, 10, 1e9}};
  EXPECT_EQ(time_dependent_concordance(rows.view()), 1);
}

TEST(Concordance, IsUndefinedWithoutAPair) {
  EXPECT_TRUE(std::isnan(time_dependent_concordance({})));
  const Rows censored{{1, 2}, {1, 2}, {0, 0}, {0, 1e9}};
  EXPECT_TRUE(std::isnan(time_dependent_concordance(censored.view())));
  const Rows together{{2, 2}, {1, 2}, {1, 1}, {0, 1e9}};
  EXPECT_TRUE(std::isnan(time_dependent_concordance(together.view())));
}

}  // namespace
}  // namespace sequela
