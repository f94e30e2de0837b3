#include "sequela/core/text_table.h"

#include <gtest/gtest.h>

#include <string>

namespace sequela {
namespace {

TEST(TextTable, NumbersTextsInTheOrderInWhichTheyCome) {
  TextTable table;
  EXPECT_EQ(table.find("ICD10CM/I10"), -1);
  EXPECT_EQ(table.add("ICD10CM/I10"), 0);
  EXPECT_EQ(table.add(""), 1);
  EXPECT_EQ(table.add("ICD10CM/I10"), 0);
  EXPECT_EQ(table.add("ICD10CM/I1"), 2);
  EXPECT_EQ(table.size(), 3);
  EXPECT_EQ(table.text(0), "ICD10CM/I10");
  EXPECT_EQ(table.text(1), "");
  EXPECT_EQ(table.find(""), 1);
  EXPECT_EQ(table.find("ICD10CM/I11"), -1);
}

TEST(TextTable, TellsTextsOfOneHashApart) {
  TextTable table;
  for (const char* text : {"a", "b", "c"}) table.add(text, 7);
  EXPECT_EQ(table.size(), 3);
  EXPECT_EQ(table.add("b", 7), 1);
}

TEST(TextTable, FindsAllAfterGrowth) {
  TextTable table;
  constexpr int kNumTexts = 10'000;
  for (int i = 0; i < kNumTexts; ++i) ASSERT_EQ(table.add(std::to_string(i)), i);
  for (int i = 0; i < kNumTexts; ++i) {
    ASSERT_EQ(table.find(std::to_string(i)), i);
    ASSERT_EQ(table.text(i), std::to_string(i));
  }
}

}  // namespace
}  // namespace sequela
