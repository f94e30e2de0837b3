#include "sequela/core/iso_time.h"

#include <chrono>

#include "sequela/core/time.h"

namespace sequela {
namespace {

// Takes digits, separators and signs from the front of a text; false once something else came.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : left_(text) {}

  bool is_good() const { return is_good_; }
  bool is_at_end() const { return left_.empty(); }
  char peek() const { return left_.empty() ? '\0' : left_.front(); }

  int64_t digits(size_t count) {
    int64_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const char c = peek();
      if (c < '0' || c > '9') {
        is_good_ = false;
        return 0;
      }
      value = value * 10 + (c - '0');
      left_.remove_prefix(1);
    }
    return value;
  }
  bool take(char c) {
    if (peek() != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  void expect(char c) { is_good_ = take(c) && is_good_; }
  // The digits after a decimal point as microseconds; more than six are cut off.
  int64_t fraction() {
    int64_t value = 0;
    int64_t unit = kMicrosPerSecond / 10;
    while (peek() >= '0' && peek() <= '9') {
      value += (peek() - '0') * unit;
      unit /= 10;
      left_.remove_prefix(1);
    }
    return value;
  }

 private:
  std::string_view left_;
  bool is_good_ = true;
};

void scan_zone(Scanner* in, ClockTime* time) {
  const bool is_east = in->peek() == '+';
  time->has_zone = in->take('Z');
  if (time->has_zone || (!in->take('+') && !in->take('-'))) return;
  time->has_zone = true;
  const int64_t hours = in->digits(2);
  in->take(':');
  const int64_t minutes = in->is_at_end() ? 0 : in->digits(2);  // PostgreSQL writes "+01"
  const int64_t offset_us = (hours * 60 + minutes) * 60 * kMicrosPerSecond;
  time->zone_offset_us = is_east ? offset_us : -offset_us;
}

}  // namespace

std::optional<ClockTime> parse_clock_time(std::string_view text) {
  using namespace std::chrono;
  Scanner in(text);
  const auto y = static_cast<int>(in.digits(4));
  in.expect('-');
  const auto m = static_cast<unsigned>(in.digits(2));
  in.expect('-');
  const auto d = static_cast<unsigned>(in.digits(2));
  const year_month_day date = year(y) / month(m) / day(d);
  if (!in.is_good() || !date.ok()) return std::nullopt;
  ClockTime time{sys_days(date).time_since_epoch().count() * kMicrosPerDay};
  time.is_date = in.is_at_end();
  if (time.is_date) return time;

  if (!in.take('T')) in.expect(' ');
  const int64_t hour = in.digits(2);
  in.expect(':');
  const int64_t minute = in.digits(2);
  int64_t second = 0;
  int64_t micros = 0;
  if (in.take(':')) second = in.digits(2);
  if (in.take('.')) micros = in.fraction();
  scan_zone(&in, &time);
  if (!in.is_good() || !in.is_at_end() || hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  time.clock_us += (hour * 3600 + minute * 60 + second) * kMicrosPerSecond + micros;
  return time;
}

std::optional<int64_t> parse_iso_time(std::string_view text) {
  const std::optional<ClockTime> time = parse_clock_time(text);
  return time ? std::optional(time->utc_us()) : std::nullopt;
}

}  // namespace sequela
