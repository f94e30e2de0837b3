#pragma once

#include "sequela/nn/time_to_event.h"

namespace sequela {

// Arguments of time_to_event_loss, checked.
struct TimeToEventCall {
  const at::Tensor& z_LKF;
  const TimeToEventHead& head;
  const MotorTargets& targets;
  TimeAtRisk time_at_risk;
  std::optional<double> gradient_scale;
  const TimeToEventGradients& gradients;
  double* cost_C = nullptr;  // if given, each task's cost in nats is added to it
};

// Seconds at risk in a bin of someone followed for `seconds`, as the loss takes it.
float seconds_at_risk(float seconds, float bin_start, float bin_end, TimeAtRisk time_at_risk);

// Each task's cost by plain tensor operations, on any device, a few labels at a time.
at::Tensor time_to_event_costs_plain(const TimeToEventCall& call);

// The versions; each returns the loss.
double time_to_event_reference(const TimeToEventCall& call);

// Tile: float, or uint16_t for bfloat16. The number of features must be a multiple of 32.
template <class Tile>
struct TimeToEventOps;
template <class Tile>
double time_to_event_tiled(const TimeToEventCall& call, const TimeToEventOps<Tile>& ops);

}  // namespace sequela
