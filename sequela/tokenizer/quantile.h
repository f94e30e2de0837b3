#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sequela {

// The quantile of ascending values at `share` in [0, 1], with linear interpolation; there is at
// least one value. `value_at(i)` gives value i of `count`. Equals numpy.quantile to the last bit.
template <class ValueAt>
double quantile(int64_t count, double share, const ValueAt& value_at) {
  const double position = static_cast<double>(count - 1) * share;
  const int64_t before = std::clamp<int64_t>(static_cast<int64_t>(position), 0, count - 1);
  const double low = value_at(before);
  const double high = value_at(std::min(before + 1, count - 1));
  const double t = position - static_cast<double>(before);
  return t < 0.5 ? low + (high - low) * t : high - (high - low) * (1 - t);
}

// Element i of numpy.linspace(0, stop, num_steps + 1).
inline double linspace_at(double stop, int64_t num_steps, int64_t i) {
  return i == num_steps ? stop : static_cast<double>(i) * (stop / static_cast<double>(num_steps));
}

}  // namespace sequela
