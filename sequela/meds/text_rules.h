#pragma once

#include <optional>
#include <string_view>

namespace sequela {

// Longest code that is let in, in bytes.
inline constexpr size_t kMaxCodeBytes = 64 * 1024;

// The number that Python's float(text) gives, nothing if it would raise: surrounding white space is
// cut, single underscores may stand between digits, inf, infinity and nan are words in any case.
// Digits of other scripts are not taken as digits.
std::optional<double> parse_python_float(std::string_view text);

}  // namespace sequela
