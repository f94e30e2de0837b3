#include "sequela/io/time_zone.h"

#include <arrow/vendored/datetime.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "sequela/core/error.h"
#include "sequela/core/time.h"

namespace sequela {
namespace {

namespace zones = arrow_vendored::date;

// "+02:00", "-0330" or "+02".
std::optional<int64_t> parse_offset(std::string_view text) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  std::string digits(text.substr(1));
  std::erase(digits, ':');
  const bool is_good = (digits.size() == 2 || digits.size() == 4) &&
                       digits.find_first_not_of("0123456789") == std::string::npos;
  if (!is_good) return std::nullopt;
  digits.resize(4, '0');
  const int64_t number = std::stoll(digits);
  const int64_t offset_us = (number / 100 * 60 + number % 100) * 60 * kMicrosPerSecond;
  return text[0] == '-' ? -offset_us : offset_us;
}

// The zone's intervals reach beyond what microseconds can count.
int64_t to_us(zones::sys_seconds time) {
  constexpr int64_t kMaxSeconds = kMaxTimeUs / kMicrosPerSecond;
  const int64_t seconds = time.time_since_epoch().count();
  if (seconds > kMaxSeconds) return std::numeric_limits<int64_t>::max();
  if (seconds < -kMaxSeconds) return std::numeric_limits<int64_t>::min();
  return seconds * kMicrosPerSecond;
}

}  // namespace

ZoneClock::ZoneClock(const std::string& zone) {
  if (zone.empty() || zone == "UTC" || zone == "Z") return;
  if (const auto offset_us = parse_offset(zone)) {
    offset_us_ = *offset_us;
    return;
  }
  try {
    zone_ = zones::locate_zone(zone);
  } catch (const std::exception&) {
    throw ConfigError(str("this machine knows no time zone '", zone,
                          "'. Fix: install its zone database (tzdata), or give --time-zone utc."));
  }
  end_us_ = begin_us_;  // the offset is not known yet
}

int64_t ZoneClock::clock_us(int64_t instant_us) {
  const int64_t bounded_us = std::clamp(instant_us, kMinTimeUs, kMaxTimeUs);
  if (zone_ != nullptr && (bounded_us < begin_us_ || bounded_us >= end_us_)) {
    const zones::sys_seconds instant{
        std::chrono::seconds(day_of(bounded_us) * (kMicrosPerDay / kMicrosPerSecond) +
                             (bounded_us - day_of(bounded_us) * kMicrosPerDay) / kMicrosPerSecond)};
    const zones::sys_info info = static_cast<const zones::time_zone*>(zone_)->get_info(instant);
    offset_us_ = info.offset.count() * kMicrosPerSecond;
    begin_us_ = to_us(info.begin);
    end_us_ = to_us(info.end);
  }
  return bounded_us + offset_us_;
}

}  // namespace sequela
