#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/evaluation/survival_curves.h"

namespace sequela {

// What is predicted of n rows, and what became of them.
struct SurvivalPredictions {
  std::vector<double> times;     // [n], to the event or the end of follow-up
  std::vector<uint8_t> kinds;    // [n], 0 = censored; every other kind is an event here
  std::vector<double> scores;    // [n], higher = sooner
  std::vector<double> horizons;  // [T], ascending
  // [n][T], probability that no event has come by the horizon; may be empty.
  std::vector<double> survival = {};
};

// All figures of predicted times to an event at once, for resampling: compute() is a
// WeightedMetrics. Censoring is estimated from the rows themselves, and alike for all rows.
//
//   harrell_c          pairs whose earlier time is an event's and of which that row has the higher
//                      score; equal scores count half; two events at one time are no pair. Harrell
//                      et al., Journal of the American Medical Association 247 (1982), 2543-2546
//   uno_c              the same up to the last horizon, a pair weighing 1 / G(t)^2, G(t) the
//                      censoring_curve at the earlier time itself, as the paper has it. Uno et al.,
//                      Statistics in Medicine 30 (2011), 1105-1117
//   auc_at_t           cumulative cases (event by t, weighing 1 / G) against dynamic controls (at
//                      risk after t). Hung and Chiang, Canadian Journal of Statistics 38 (2010),
//                      8-26
//   mean_auc           their mean over horizons, each weighing the fall of Kaplan-Meier's curve
//                      since the one before. Lambert and Chevret, Statistical Methods in Medical
//                      Research 25 (2016), 2088-2102
//   brier_at_t         squared error of the survival at t, weighing 1 / G(time) for events by t and
//                      1 / G(t) for those at risk after t. Graf et al., Statistics in Medicine 18
//                      (1999), 2529-2545
//   integrated_brier   its mean over time from the first to the last horizon, by trapezoids
//   observed_expected_at_t  1 - Kaplan-Meier's curve at t over the mean predicted risk
//
// The values equal scikit-survival's and, for harrell_c, lifelines'.
class SurvivalMetrics {
 public:
  // Throws std::invalid_argument for sizes that do not fit, numbers that are not finite, and
  // horizons that do not ascend.
  explicit SurvivalMetrics(SurvivalPredictions predictions);

  size_t num_rows() const { return rows_.times.size(); }
  const std::vector<std::string>& names() const { return names_; }
  // Fills in a value for each name; NaN where not defined.
  void compute(std::span<const double> weights, std::span<double> values) const;
  // Why a figure of all rows is not defined, in words; empty if it is.
  std::string why_not(size_t figure) const;

 private:
  struct Censoring;
  void check() const;
  double concordance(const Censoring& censoring, double last_time, bool is_weighted) const;
  double auc(const Censoring& censoring, double horizon) const;
  double brier(const Censoring& censoring, size_t horizon) const;
  double observed_expected(const Censoring& censoring, size_t horizon) const;

  SurvivalPredictions rows_;
  std::vector<std::string> names_;
  std::vector<int32_t> by_time_, by_score_;  // rows, ascending
  std::vector<int32_t> ranks_;               // by row, of its score among distinct ones
  size_t num_ranks_ = 0;
};

// Observed and predicted risk at a horizon in `num_groups` groups of nearly equal size by predicted
// risk (equal risks by row); observed is 1 - Kaplan-Meier's curve of the group, NaN if the group's
// follow-up ends before.
struct RiskGroup {
  double mean_risk;
  double observed;
  int64_t num_rows;
};
std::vector<RiskGroup> calibrate_at_horizon(const FollowUp& rows, std::span<const double> risks,
                                            double horizon, int num_groups = 10);

}  // namespace sequela
