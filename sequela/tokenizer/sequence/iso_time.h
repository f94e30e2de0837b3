#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sequela {

// Microseconds since 1970 of "2020-01-31", "2020-01-31T23:59", "2020-01-31 23:59:59.123456", with
// or without "Z" or "+01:00" (which is taken off, so that the time is UTC). Nothing if the text is
// none, or names a day or hour that there is not.
std::optional<int64_t> parse_iso_time(std::string_view text);

}  // namespace sequela
