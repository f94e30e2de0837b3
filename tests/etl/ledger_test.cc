#include "sequela/etl/ledger.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sequela {
namespace {

using Keys = std::vector<std::string>;

TEST(Tally, CountsAllAndShowsThreeKeysOnceEach) {
  Tally tally;
  for (const char* key : {"a", "a", "", "b", "c", "d"}) tally.add(key);
  EXPECT_EQ(tally.count, 6);
  EXPECT_EQ(tally.examples, (Keys{"a", "b", "c"}));
}

TEST(Tally, ThoseOfTwoThreadsShowAKeyOnce) {
  Tally first, second;
  first.add("a");
  for (const char* key : {"a", "b"}) second.add(key);
  first.add(second);
  EXPECT_EQ(first.count, 3);
  EXPECT_EQ(first.examples, (Keys{"a", "b"}));
}

}  // namespace
}  // namespace sequela
