#include "sequela/label/duration.h"

#include <gtest/gtest.h>

#include "sequela/core/time.h"

namespace sequela {
namespace {

TEST(Duration, ReadsLengthsOfTime) {
  for (const auto& [text, seconds] :
       std::vector<std::pair<const char*, double>>{{"24h", 86'400},
                                                   {"2 days", 172'800},
                                                   {"-365 days", -31'536'000},
                                                   {"- 30 minutes", -1'800},
                                                   {"+ 60s", 60},
                                                   {"1 day, 14:20:16", 138'016},
                                                   {"1 days 2 hours 3 minutes 4 seconds", 93'784},
                                                   {"1.5 hrs", 5'400},
                                                   {"2w", 1'209'600},
                                                   {"3 Weeks", 1'814'400},
                                                   {"1h30m", 5'400},
                                                   {"90:30", 5'430},
                                                   {"0h", 0},
                                                   {"0.5s", 0.5}}) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, static_cast<int64_t>(seconds * kMicrosPerSecond)) << text;
  }
}

TEST(Duration, RefusesOtherTexts) {
  for (const char* text : {"", "24", "h", "2 months", "1 year", "1.2.3h", "1h x", "1:2:3:4", "1:75",
                           "99999999999 weeks", "--1h", "."}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace sequela
