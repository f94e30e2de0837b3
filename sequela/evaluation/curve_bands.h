#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/evaluation/bootstrap.h"

namespace sequela {

// A curve at given places, with a pointwise band.
struct CurveBand {
  std::vector<double> places;
  std::vector<Interval> values;  // by place; NaN where not defined
};

// The curves of probabilities with binary outcomes, on the same resamples of the subjects.
struct CurveBands {
  CurveBand roc;               // true positive rate at false positive rates 0, 0.01, ... 1
  CurveBand precision_recall;  // precision at recalls 0.01, 0.02, ... 1
  CurveBand calibration;       // rate of outcomes at some of the probabilities, ascending
  CurveBand decision;          // net benefit at thresholds 0.01, 0.02, ... 0.99
};

struct CurveRows {
  std::span<const double> probabilities;
  std::span<const uint8_t> outcomes;
  std::span<const int64_t> subject_ids;
};

// The ROC curve is straight between its points (as for AUROC); the precision at a recall is that of
// the highest threshold which reaches it; the calibration curve is the lowess curve of
// BinaryMetrics over 200 bins of the probabilities at the most.
CurveBands find_curve_bands(const CurveRows& rows, const BootstrapOptions& options);

}  // namespace sequela
