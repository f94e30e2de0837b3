#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/evaluation/metrics.h"

namespace sequela {

// What BinaryMetrics computes, in this order. Definitions and sources: docs/evaluate.md.
enum class BinaryFigure : uint8_t {
  auroc,
  average_precision,
  brier,
  log_loss,
  calibration_slope,
  calibration_intercept,     // beside that slope
  calibration_in_the_large,  // the intercept beside slope 1
  expected_calibration_error,
  integrated_calibration_index,
  sensitivity_at_1_percent,  // alerts for the hundredth of the rows that score highest
  precision_at_1_percent,
  sensitivity_at_5_percent,
  precision_at_5_percent,
  sensitivity_at_10_percent,
  precision_at_10_percent,
  net_benefit_at_5_percent,  // alerts at a probability of 0.05 or more
  net_benefit_at_10_percent,
  net_benefit_at_20_percent,
};
inline constexpr auto kBinaryFigureNames = std::to_array<std::string_view>(
    {"auroc", "auprc", "brier", "log_loss", "calibration_slope", "calibration_intercept",
     "calibration_in_the_large", "ece", "ici", "sensitivity_at_0.01", "ppv_at_0.01",
     "sensitivity_at_0.05", "ppv_at_0.05", "sensitivity_at_0.1", "ppv_at_0.1",
     "net_benefit_at_0.05", "net_benefit_at_0.1", "net_benefit_at_0.2"});
inline constexpr size_t kNumBinaryFigures = kBinaryFigureNames.size();

// All figures of probabilities with binary outcomes at once, in one pass over rows that were sorted
// once (and a few for the calibration). Made for resampling millions of rows: compute() is a
// WeightedMetrics.
//
// Rows with one score count as one point: of those that an alert rate cuts, the part that fills it
// is alerted, as if chosen by lot. The expected calibration error has ten bins of equal width, (0,
// 0.1] to (0.9, 1]. The integrated calibration index is the mean distance of a score from the
// lowess curve (span 2/3, delta a hundredth of the scores' range); more than 2,000 distinct scores
// are gathered into 2,000 bins of equal width for it.
class BinaryMetrics {
 public:
  // probabilities in [0, 1]. `rows`: which of the weights is a row's; none = its own number.
  // Throws std::invalid_argument as ScoredOutcomes does.
  BinaryMetrics(std::vector<double> probabilities, std::vector<uint8_t> outcomes,
                std::span<const int32_t> rows = {});

  // Fills in kNumBinaryFigures values; NaN where not defined.
  void compute(std::span<const double> weights, std::span<double> values) const;
  // Why a figure of all rows is not defined, in words; empty if it is.
  std::string why_not(BinaryFigure figure) const;

  const ScoredOutcomes& scored() const { return scored_; }
  // The calibration curve: mean score and lowess curve there, of each distinct score or bin.
  struct CalibrationCurve {
    std::vector<double> scores, rates;
  };
  CalibrationCurve calibration_curve() const;

 private:
  struct Sums;
  void prepare_ties();
  void prepare_bins();
  Sums sum_up(std::span<const double> weights, double total) const;
  void fill_calibration(std::span<const double> weights, std::span<double> values) const;
  double calibration_index(const Sums& sums) const;

  ScoredOutcomes scored_;
  std::vector<int32_t> rows_;      // by falling score: which weight
  std::vector<uint8_t> outcomes_;  // likewise
  std::vector<double> scores_, logits_, losses_;
  std::vector<int32_t> tie_starts_;   // runs of equal scores, and the end
  std::vector<int32_t> cuts_;         // of runs: where a bin or an alert's threshold ends
  std::vector<int32_t> tie_bins_;     // by run: its point of the calibration curve
  std::vector<double> bin_scores_;    // by point, ascending
  Calibration calibration_ = {0, 1};  // of all rows: where the search in a resample begins
  double in_the_large_ = 0;
};

}  // namespace sequela
