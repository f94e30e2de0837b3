#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sequela {

// Microseconds of "24h", "2 days", "1 day, 14:20:16", "1.5 hours", "- 30 minutes", "90:30" (minutes
// and seconds): numbers with units from weeks to seconds, in words or by letter, and a clock's
// reading. Nothing if the text is none; months and years, which have no fixed length, are none.
std::optional<int64_t> parse_duration(std::string_view text);

}  // namespace sequela
