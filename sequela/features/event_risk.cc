#include "sequela/features/event_risk.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace sequela {

EventRisk::EventRisk(const std::vector<double>& time_bins, double horizon_seconds) {
  if (!(horizon_seconds > 0) || std::isinf(horizon_seconds)) {
    throw std::invalid_argument("a horizon is finite and above 0");
  }
  for (size_t k = 0; k + 1 < time_bins.size(); ++k) {
    seconds_K_.push_back(std::max(0.0, std::min(time_bins[k + 1], horizon_seconds) - time_bins[k]));
  }
}

float EventRisk::operator()(const float* log2_rates, int64_t stride) const {
  double expected = 0;  // events
  for (size_t k = 0; k < seconds_K_.size(); ++k) {
    if (seconds_K_[k] == 0) continue;  // whose rate may overflow
    expected += std::exp2(static_cast<double>(log2_rates[static_cast<int64_t>(k) * stride])) *
                seconds_K_[k];
  }
  return static_cast<float>(-std::expm1(-expected));
}

}  // namespace sequela
