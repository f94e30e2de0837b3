#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sequela {

// What became of n rows. All spans have one entry a row, but that no weights are all 1.
struct FollowUp {
  std::span<const double> times;         // to the event or the end of follow-up
  std::span<const uint8_t> kinds;        // 0 = censored, else which of the competing events
  std::span<const double> weights = {};  // 0 drops a row, 2 counts it twice
};

// A function of time that is `before` up to the first of `times` and then values[i] from times[i]
// on.
struct StepCurve {
  std::vector<double> times;  // ascending
  std::vector<double> values;
  double before = 1;

  double at(double time) const;
};

// All of them need times in order: `order` names the rows by ascending time.
std::vector<int32_t> order_by_time(std::span<const double> times);

// Probability that no event has come: Kaplan and Meier, Journal of the American Statistical
// Association 53 (1958), 457-481. Whoever is censored at a time is at risk of its events.
StepCurve kaplan_meier(const FollowUp& rows, std::span<const int32_t> order);

// Probability that follow-up has not ended, for inverse weights: the same with the roles exchanged,
// but that events still come before what is censored at their time.
StepCurve censoring_curve(const FollowUp& rows, std::span<const int32_t> order);

// Probability that an event of one kind has come, while others compete: Aalen and Johansen,
// Scandinavian Journal of Statistics 5 (1978), 141-150.
StepCurve cumulative_incidence(const FollowUp& rows, std::span<const int32_t> order, uint8_t kind);

}  // namespace sequela
