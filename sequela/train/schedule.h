#pragma once

#include <algorithm>
#include <cstdint>

namespace sequela {

// Learning rate of optimizer step `step` (0-based): a linear rise over `warmup_steps`, then a
// linear fall to 0 at `total_steps`. Equals transformers.get_linear_schedule_with_warmup: step 0 of
// a warm-up has rate 0.
inline double linear_schedule(double peak, int64_t step, int64_t warmup_steps,
                              int64_t total_steps) {
  if (step < warmup_steps)
    return peak * static_cast<double>(step) / static_cast<double>(warmup_steps);
  const int64_t left = std::max<int64_t>(0, total_steps - step);
  return peak * static_cast<double>(left) /
         static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
}

}  // namespace sequela
