#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sequela {

// A time as a text gives it.
struct ClockTime {
  int64_t clock_us = 0;        // microseconds since 1970 of the clock's reading
  bool is_date = false;        // the text names a day only: clock_us is its start
  bool has_zone = false;       // "Z" or an offset stands behind it
  int64_t zone_offset_us = 0;  // how far the clock is ahead of UTC
  int64_t utc_us() const { return clock_us - zone_offset_us; }
};

// Of a text as parse_iso_time() takes it.
std::optional<ClockTime> parse_clock_time(std::string_view text);

// Microseconds since 1970 of "2020-01-31", "2020-01-31T23:59", "2020-01-31 23:59:59.123456", with
// or without "Z" or "+01:00" (which is taken off, so that the time is UTC). Nothing if the text is
// none, or names a day or hour that there is not.
std::optional<int64_t> parse_iso_time(std::string_view text);

}  // namespace sequela
