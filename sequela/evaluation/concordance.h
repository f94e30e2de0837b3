#pragma once

#include <cstdint>
#include <span>

namespace sequela {

// What became of n rows, and their hazards: constant within each of K time bins.
struct HazardRows {
  std::span<const float> seconds;     // [n], to the event or the end of follow-up
  std::span<const uint8_t> is_event;  // [n]
  std::span<const float> hazards;     // [n][K], any rising function of them
  std::span<const double> bin_edges;  // [K + 1], ascending, the last above all event times
};

// Time-dependent concordance, incident cases against dynamic controls: the probability that of a
// row whose event comes at time t and a row still at risk then, the first has the higher hazard at
// t. Rows that are censored at t are at risk then, rows with an event at t are not compared; equal
// hazards count half. NaN without a pair. Exact, in O(n log n) for each bin.
//
// Source: Heagerty and Zheng, Survival model predictive accuracy and ROC curves, Biometrics 61
// (2005), 92-105: their concordance of AUC(t), each t weighing as many pairs as it has.
double time_dependent_concordance(const HazardRows& rows);

}  // namespace sequela
