#include "sequela/ontology/concept_table.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace sequela {
namespace {

TEST(ConceptTable, FindsWhatWasSetAndNothingElse) {
  ConceptTable table;
  EXPECT_FALSE(table.find(0).has_value());
  constexpr int32_t kLargestNode = (1 << 30) - 1;
  const std::vector<std::pair<int64_t, Concept>> concepts = {
      {0, {0, true}},
      {255, {1, false}},
      {256, {2, true}},
      {ConceptTable::kMaxId, {kLargestNode, false}},
      {70'000, {3, true}}};
  for (const auto& [id, added] : concepts) table.set(id, added);
  for (const auto& [id, added] : concepts) {
    table.prefetch(id);
    ASSERT_TRUE(table.find(id).has_value()) << id;
    EXPECT_EQ(table.find(id)->node, added.node) << id;
    EXPECT_EQ(table.find(id)->is_standard, added.is_standard) << id;
  }
  for (const int64_t id : {int64_t{-1}, int64_t{1}, int64_t{254}, int64_t{257}, int64_t{512},
                           int64_t{69'999}, ConceptTable::kMaxId - 1, ConceptTable::kMaxId + 1}) {
    table.prefetch(id);
    EXPECT_FALSE(table.find(id).has_value()) << id;
  }
  table.set(256, {9, false});
  EXPECT_EQ(table.find(256)->node, 9);
  EXPECT_FALSE(table.find(256)->is_standard);
}

TEST(ConceptTable, RefusesIdsOutOfRange) {
  ConceptTable table;
  EXPECT_THROW(table.set(-1, {}), std::logic_error);
  EXPECT_THROW(table.set(ConceptTable::kMaxId + 1, {}), std::logic_error);
}

}  // namespace
}  // namespace sequela
