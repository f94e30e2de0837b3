#pragma once

#include <string>
#include <string_view>

namespace sequela {

// What valid UTF-8 is: Unicode 15, table 3-7. No surrogates, no longer forms, at most U+10FFFF.
bool is_valid_utf8(std::string_view text);

// The text with U+FFFD in place of each byte that is not part of valid UTF-8.
std::string to_valid_utf8(std::string_view text);

// The code points of the same.
std::u32string decode_utf8(std::string_view text);

// `point` is a code point.
void append_utf8(char32_t point, std::string* text);

}  // namespace sequela
