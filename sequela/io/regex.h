#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// For each text whether a part of it matches the pattern, one byte each. The dialect is RE2's, as
// Arrow brings it: linear in the text, without look-around and back-references; \d, \w and \b mean
// ASCII. Throws ConfigError with what is wrong if the pattern is none.
std::vector<uint8_t> match_regex(const std::string& pattern,
                                 const std::vector<std::string_view>& texts);

}  // namespace sequela
