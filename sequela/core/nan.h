#pragma once

#include <limits>

namespace sequela {

// A figure that is not defined, a value that is not there.
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace sequela
