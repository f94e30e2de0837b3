#pragma once

#include <cstdint>
#include <vector>

namespace sequela {

// The risk that an event happens within a horizon, from the rates of a MOTOR head.
//
// The model's event rate is constant within each time bin (docs/design.md, section 8), so the event
// comes before the horizon with probability
//
//   1 - exp(-sum over bins of rate * seconds of the bin that lie before the horizon)
//
// where nothing else ends the time at risk, death included: the event counts as if it could still
// come. Source: the piecewise exponential model of MOTOR, arXiv:2301.03150, section 3.
class EventRisk {
 public:
  // time_bins: edges in seconds, ascending, from 0; the last may be infinite. std::invalid_argument
  // for a horizon that is not above 0 and finite.
  EventRisk(const std::vector<double>& time_bins, double horizon_seconds);

  int64_t num_bins() const { return static_cast<int64_t>(seconds_K_.size()); }
  // log2_rates: log2 of events per second, one each `stride` floats for the bins in order. NaN if
  // one of the bins before the horizon has a NaN.
  float operator()(const float* log2_rates, int64_t stride) const;

 private:
  std::vector<double> seconds_K_;  // of each bin, before the horizon
};

}  // namespace sequela
