#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace sequela {

// How the learning rate falls after its linear rise over the warm-up.
enum class Schedule { linear, cosine, constant };

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

// The same rise, then the fall of `schedule`: linear as above, half a cosine from peak to 0 (equals
// transformers.get_cosine_schedule_with_warmup), or none.
inline double learning_rate_at(Schedule schedule, double peak, int64_t step, int64_t warmup_steps,
                               int64_t total_steps) {
  if (schedule == Schedule::linear || step < warmup_steps)
    return linear_schedule(peak, step, warmup_steps, total_steps);
  if (schedule == Schedule::constant) return peak;
  const double done = static_cast<double>(step - warmup_steps) /
                      static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
  return peak * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, done)));
}

}  // namespace sequela
