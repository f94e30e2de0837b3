#pragma once

#include <vector>

#include "sequela/evaluation/metrics.h"

namespace sequela {

// At most `max_points` (2 or more) of threshold_curve, nearly evenly along the ROC curve, with its
// first and last. Empty without a positive or a negative row.
std::vector<CurvePoint> thin_threshold_curve(const ScoredOutcomes& scored, size_t max_points);

// What it is worth to alert at a threshold or above, in true positives per row: a false positive
// costs threshold / (1 - threshold). Alerting for no row is worth 0.
//
// Source: Vickers and Elkin, Decision curve analysis, Medical Decision Making 26 (2006), 565-574.
struct DecisionPoint {
  double threshold;
  double net_benefit;
  double net_benefit_of_all;  // of alerting for every row
};
// At thresholds 0.01, 0.02, ... 0.99. The scores must be probabilities; empty without rows.
std::vector<DecisionPoint> decision_curve(const ScoredOutcomes& scored);

}  // namespace sequela
