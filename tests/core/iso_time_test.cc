#include "sequela/core/iso_time.h"

#include <gtest/gtest.h>

#include <string>

#include "sequela/core/time.h"

namespace sequela {
namespace {

TEST(IsoTime, ReadsEveryForm) {
  constexpr int64_t kDayUs = 18'292 * kMicrosPerDay;  // 2020-01-31
  constexpr int64_t kHourUs = 3'600 * kMicrosPerSecond;
  const std::pair<const char*, int64_t> cases[] = {
      {"1970-01-01", 0},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31 23:59:59.999999", -1},
      {"2020-01-31", kDayUs},
      {"2020-01-31T02:03", kDayUs + 2 * kHourUs + 180 * kMicrosPerSecond},
      {"2020-01-31 02:03:04", kDayUs + 2 * kHourUs + 184 * kMicrosPerSecond},
      {"2020-01-31 02:03:04.5", kDayUs + 2 * kHourUs + 184 * kMicrosPerSecond + 500'000},
      {"2020-01-31 02:03:04.123456", kDayUs + 2 * kHourUs + 184 * kMicrosPerSecond + 123'456},
      {"2020-01-31 02:03:04.1234567", kDayUs + 2 * kHourUs + 184 * kMicrosPerSecond + 123'456},
      {"2020-01-31 23:59:59", kDayUs + kMicrosPerDay - kMicrosPerSecond},
      {"2020-01-31T12:00Z", kDayUs + 12 * kHourUs},
      {"2020-01-31T12:00+01:30", kDayUs + 12 * kHourUs - kHourUs * 3 / 2},
      {"2020-01-31T12:00-0130", kDayUs + 12 * kHourUs + kHourUs * 3 / 2},
      {"2020-01-31 12:00:00+01", kDayUs + 11 * kHourUs},
      {"2020-02-29", kDayUs + 29 * kMicrosPerDay}};
  for (const auto& [text, time_us] : cases) EXPECT_EQ(parse_iso_time(text), time_us) << text;
}

TEST(IsoTime, TellsDatesAndZones) {
  const auto date = parse_clock_time("2020-01-31"), plain = parse_clock_time("2020-01-31 01:00"),
             utc = parse_clock_time("2020-01-31 01:00Z"),
             west = parse_clock_time("2020-01-31 01:00-05:00");
  ASSERT_TRUE(date && plain && utc && west);
  EXPECT_TRUE(date->is_date);
  EXPECT_FALSE(date->has_zone);
  EXPECT_FALSE(plain->is_date);
  EXPECT_FALSE(plain->has_zone);
  EXPECT_TRUE(utc->has_zone);
  EXPECT_EQ(utc->zone_offset_us, 0);
  EXPECT_TRUE(west->has_zone);
  EXPECT_EQ(west->zone_offset_us, -5 * 3'600 * kMicrosPerSecond);
  EXPECT_EQ(west->clock_us, plain->clock_us);
}

TEST(IsoTime, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "2020",
                           "2020-1-31",
                           "2020-01-32",
                           "2020-13-01",
                           "2020-00-10",
                           "2020-01-00",
                           "2021-02-29",
                           "2020/01/31",
                           "2020-01/31",
                           "2020-01-31T",
                           "2020-01-31 1:00",
                           "2020-01-31 24:00",
                           "2020-01-31 23:60",
                           "2020-01-31 23:59:60",
                           "2020-01-31x10:00",
                           "2020-01-31 10-00",
                           "2020-01-31 10:00:0",
                           "2020-01-31 10:00:00 ",
                           "2020-01-31 10:00:00+",
                           "2020-01-31 10:00:00+1",
                           "2020-01-31 10:00:00+01:0",
                           "2020-01-31 10:00Z+01",
                           "a020-01-31",
                           "2020-01-31 10:00:00,5",
                           "31.01.2020"}) {
    EXPECT_FALSE(parse_iso_time(text).has_value()) << text;
  }
}

TEST(Time, TextsAreReadBack) {
  for (const char* text :
       {"1970-01-01 00:00:00", "2020-02-29 13:14:15", "1899-12-31 23:59:59.000001",
        "9999-12-31 23:59:59.999999", "2001-09-09 01:46:40.100000"}) {
    EXPECT_EQ(to_text(parse_iso_time(text).value()), text);
  }
}

}  // namespace
}  // namespace sequela
