#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace sequela {

// Times are int64 microseconds since 1970-01-01 without a zone; this value means "no time"
// (static).
inline constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
inline constexpr double kDaysPerYear = 365.25;  // of an age

// Largest |time| that is let in: year 9999's end. With it, differences never overflow.
inline constexpr int64_t kMaxTimeUs = 253'402'300'800 * kMicrosPerSecond;
inline constexpr int64_t kMinTimeUs = -kMaxTimeUs;

// Calendar day since 1970-01-01, rounded towards the past.
constexpr int64_t day_of(int64_t time_us) {
  const int64_t day = time_us / kMicrosPerDay;
  return time_us % kMicrosPerDay < 0 ? day - 1 : day;
}

// "2020-01-31 23:59:59.000001", the fraction only when not 0; "none" for kNoTime.
std::string to_text(int64_t time_us);

}  // namespace sequela
