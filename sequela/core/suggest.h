#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// The known name that a mistyped one most likely means; empty if none is near. Names are near when
// few letters were left out, added, changed or swapped, counted against the whole name or the part
// of it that fits best ("trian" is near "pretrain").
std::string closest_name(std::string_view given, const std::vector<std::string>& known);

// "; did you mean 'pretrain'?", or nothing.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& known);

// The message of a ConfigError about a value, with a suggestion among the values that it lists:
// "visits: 'dya' is not allowed; did you mean 'day'? Fix: give hybrid, encounter, day or hours."
// Other messages are left as they are.
std::string with_suggestion(const std::string& message);

}  // namespace sequela
