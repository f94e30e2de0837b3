#pragma once

#include <string>
#include <string_view>

namespace sequela {

// The text with each byte that is not part of valid UTF-8 replaced by U+FFFD (Unicode 15, table
// 3-7).
std::string to_valid_utf8(std::string_view text);

}  // namespace sequela
