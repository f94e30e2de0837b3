#include "sequela/ontology/graph.h"

#include <gtest/gtest.h>

namespace sequela {
namespace {

std::vector<int32_t> to_vector(std::span<const int32_t> values) {
  return {values.begin(), values.end()};
}

using Ids = std::vector<int32_t>;

TEST(ParentLists, SortsAndDropsRepeatedEdges) {
  const ParentLists lists = to_parent_lists(4, {{2, 3}, {0, 2}, {2, 1}, {2, 3}, {0, 1}});
  EXPECT_EQ(to_vector(lists.of(0)), (Ids{1, 2}));
  EXPECT_TRUE(lists.of(1).empty());
  EXPECT_EQ(to_vector(lists.of(2)), (Ids{1, 3}));
  EXPECT_TRUE(lists.of(3).empty());
}

TEST(Graph, ClosesADiamond) {
  ParentLists lists = to_parent_lists(4, {{3, 1}, {3, 2}, {1, 0}, {2, 0}});
  std::vector<Cycle> cycles;
  const ParentLists closure = close_upwards(lists, break_cycles(lists, cycles));
  EXPECT_TRUE(cycles.empty());
  EXPECT_EQ(to_vector(closure.of(3)), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(to_vector(closure.of(1)), (Ids{0, 1}));
  EXPECT_EQ(to_vector(closure.of(0)), (Ids{0}));
}

TEST(Graph, BreaksACycleAtTheEdgeThatClosesIt) {
  ParentLists lists = to_parent_lists(4, {{0, 1}, {1, 2}, {2, 0}, {2, 3}});
  std::vector<Cycle> cycles;
  const ParentLists closure = close_upwards(lists, break_cycles(lists, cycles));
  ASSERT_EQ(cycles.size(), 1u);
  EXPECT_EQ(cycles[0], (Cycle{0, 1, 2}));
  EXPECT_EQ(to_vector(lists.of(2)), (Ids{3}));
  EXPECT_EQ(to_vector(closure.of(0)), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(to_vector(closure.of(2)), (Ids{2, 3}));
}

TEST(Graph, BreaksEveryCycleAndOnlyThose) {
  // 0 <-> 1, a self parent 2, and 1 -> 3 -> 0.
  ParentLists lists = to_parent_lists(4, {{0, 1}, {1, 0}, {2, 2}, {1, 3}, {3, 0}});
  std::vector<Cycle> cycles;
  const std::vector<int32_t> order = break_cycles(lists, cycles);
  EXPECT_EQ(cycles, (std::vector<Cycle>{{0, 1}, {0, 1, 3}, {2}}));
  EXPECT_EQ(order.size(), 4u);
  EXPECT_EQ(lists.values, (Ids{1, 3}));
}

TEST(Graph, TakesALongChainWithoutRecursion) {
  constexpr int32_t kNodes = 5'000;
  std::vector<std::pair<int32_t, int32_t>> edges;
  for (int32_t i = 0; i + 1 < kNodes; ++i) edges.emplace_back(i, i + 1);
  ParentLists lists = to_parent_lists(kNodes, edges);
  std::vector<Cycle> cycles;
  const ParentLists closure = close_upwards(lists, break_cycles(lists, cycles));
  EXPECT_EQ(closure.of(0).size(), size_t{kNodes});
  EXPECT_EQ(closure.of(kNodes - 1).size(), 1u);
}

}  // namespace
}  // namespace sequela
