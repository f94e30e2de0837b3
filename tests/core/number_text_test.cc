#include "sequela/core/number_text.h"

#include <gtest/gtest.h>

namespace sequela {
namespace {

TEST(NumberText, SeparatesThousands) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1'000), "1,000");
  EXPECT_EQ(with_thousands(12'345'678), "12,345,678");
  EXPECT_EQ(with_thousands(-999), "-999");
  EXPECT_EQ(with_thousands(-1'000), "-1,000");
}

}  // namespace
}  // namespace sequela
