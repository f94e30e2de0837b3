#include <chrono>

#include "sequela/core/error.h"
#include "sequela/tokenizer/sequence/cehr_records.h"

namespace sequela {
namespace {

constexpr int64_t kLongDays = 1080;

// Rounded down and up, for negative numbers too.
int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && a < 0 ? 1 : 0);
}
int64_t ceil_divide(int64_t a, int64_t b) {
  return -floor_divide(-a, b);
}

std::string cehr_bert_token(int64_t days) {
  if (days < 0) return "W-1";
  if (days < 28) return str("W", days / 7);
  if (days < 360) return str("M", days / 30);
  return "LT";
}

std::string mix_token(int64_t days) {
  if (days <= 7) return str("D", days);
  if (days <= 30) return str("W", ceil_divide(days, 7));
  if (days <= 360) return str("M", ceil_divide(days, 30));
  return "LT";
}

}  // namespace

TimeTokens parse_time_tokens(const std::string& name, const std::string& key) {
  for (const TimeTokens scheme : {TimeTokens::cehr_bert, TimeTokens::day, TimeTokens::week,
                                  TimeTokens::month, TimeTokens::mix, TimeTokens::none}) {
    if (name == name_of(scheme)) return scheme;
  }
  throw ConfigError(key, name, "cehr_bert, day, week, month, mix or none");
}

const char* name_of(TimeTokens scheme) {
  switch (scheme) {
    case TimeTokens::cehr_bert:
      return "cehr_bert";
    case TimeTokens::day:
      return "day";
    case TimeTokens::week:
      return "week";
    case TimeTokens::month:
      return "month";
    case TimeTokens::mix:
      return "mix";
    case TimeTokens::none:
      return "none";
  }
  return "";
}

std::string time_token(TimeTokens scheme, int64_t days) {
  switch (scheme) {
    case TimeTokens::cehr_bert:
      return cehr_bert_token(days);
    case TimeTokens::mix:
      return mix_token(days);
    case TimeTokens::day:
      return days < kLongDays ? str("D", days) : "LT";
    case TimeTokens::week:
      return days < kLongDays ? str("W", floor_divide(days, 7)) : "LT";
    case TimeTokens::month:
      return days < kLongDays ? str("M", floor_divide(days, 30)) : "LT";
    case TimeTokens::none:
      break;
  }
  return "";
}

int32_t age_years(int64_t birth_us, int64_t time_us) {
  using namespace std::chrono;
  const auto date = [](int64_t time) { return year_month_day(sys_days(days(day_of(time)))); };
  const year_month_day birth = date(birth_us);
  const year_month_day now = date(time_us);
  int64_t months =
      (int{now.year()} - int{birth.year()}) * 12 +
      (static_cast<int>(unsigned{now.month()}) - static_cast<int>(unsigned{birth.month()}));
  // The birthday's day and hour in the present month; the 29th to 31st may fall on its last day.
  const auto last = unsigned{year_month_day_last(now.year(), month_day_last(now.month())).day()};
  const unsigned day = std::min(unsigned{birth.day()}, last);
  const auto in_day = [](int64_t time) { return time - day_of(time) * kMicrosPerDay; };
  const auto at_birth = std::pair(day, in_day(birth_us));
  const auto at_now = std::pair(unsigned{now.day()}, in_day(time_us));
  if (time_us >= birth_us) {
    if (at_now < at_birth) --months;
  } else if (at_now > at_birth) {
    ++months;
  }
  return static_cast<int32_t>(months / 12);
}

}  // namespace sequela
