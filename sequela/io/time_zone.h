#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace sequela {

// The clock of a time zone: a name of the system's zone database ("America/New_York"), "UTC", or a
// fixed offset ("+02:00"), as Arrow writes them.
class ZoneClock {
 public:
  // ConfigError if there is no such zone on this machine.
  explicit ZoneClock(const std::string& zone);

  // What the clock shows at an instant; both in microseconds since 1970, the instant's in UTC.
  int64_t clock_us(int64_t instant_us);

 private:
  const void* zone_ = nullptr;  // of the database; nullptr = a fixed offset
  // The offset holds for instants in [begin, end).
  int64_t offset_us_ = 0;
  int64_t begin_us_ = std::numeric_limits<int64_t>::min();
  int64_t end_us_ = std::numeric_limits<int64_t>::max();
};

}  // namespace sequela
