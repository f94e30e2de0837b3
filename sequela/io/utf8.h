#pragma once

#include <string>
#include <string_view>

namespace sequela {

// The code points of a text; each byte that is not part of valid UTF-8 becomes U+FFFD.
std::u32string decode_utf8(std::string_view text);

// The text itself if it is valid UTF-8, else with U+FFFD in place of the bytes that are not.
std::string valid_utf8(std::string_view text);

}  // namespace sequela
