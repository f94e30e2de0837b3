#include "sequela/core/time.h"

#include <chrono>
#include <cstdio>

namespace sequela {

std::string to_text(int64_t time_us) {
  if (time_us == kNoTime) return "none";
  const int64_t day = day_of(time_us);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  const int64_t us = time_us - day * kMicrosPerDay;
  const int64_t second = us / kMicrosPerSecond;
  char text[64];
  int length = std::snprintf(text, sizeof(text), "%04d-%02u-%02u %02d:%02d:%02d",
                             static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                             static_cast<unsigned>(date.day()), static_cast<int>(second / 3600),
                             static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
  if (us % kMicrosPerSecond != 0) {
    std::snprintf(text + length, sizeof(text) - length, ".%06d",
                  static_cast<int>(us % kMicrosPerSecond));
  }
  return text;
}

}  // namespace sequela
