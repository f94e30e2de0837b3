#pragma once

#include <optional>
#include <string_view>

namespace sequela {

// The UCUM code (ucum.org, version 2.1) of a unit as laboratories and devices write it: "mmHg" ->
// "mm[Hg]", "K/uL" -> "10*3/uL", "bpm" -> "/min". One that is UCUM stays. Case counts only where
// units differ by it. Nothing if the table knows none.
std::optional<std::string_view> ucum_unit(std::string_view unit);

}  // namespace sequela
