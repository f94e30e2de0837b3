#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/evaluation/bootstrap.h"
#include "sequela/evaluation/metrics.h"

namespace sequela {

// What a method said of the test rows after learning from each of several draws of labels.
struct DrawnScores {
  std::string method;
  int64_t num_labels = 0;               // as the caller counts them
  std::vector<ScoredOutcomes> by_draw;  // one or more, of the same rows in the same order
};

// Means over the draws, with intervals by resampling of the test subjects. They do not hold the
// spread over the draws, which the figures by draw show.
struct DrawnResult {
  std::string method;
  int64_t num_labels = 0;
  Interval auroc = {}, average_precision = {};
  std::vector<double> auroc_by_draw, average_precision_by_draw;
};

// First minus second.
struct DrawnDifference {
  PairedTest auroc = {}, average_precision = {};
};

// All runs on the same test rows, resampled together.
class DrawnSummary {
 public:
  // test_subjects: of each test row. std::invalid_argument for rows that do not fit.
  DrawnSummary(std::span<const DrawnScores> runs, std::span<const int64_t> test_subjects,
               const BootstrapOptions& options);

  const std::vector<DrawnResult>& results() const { return results_; }  // in the order of the runs
  DrawnDifference difference(size_t first, size_t second) const;        // of two of them

 private:
  PairedTest difference_of(size_t first, size_t second, size_t figure) const;

  const double level_;
  ResampledFigures resampled_;  // of each run two figures
  std::vector<DrawnResult> results_;
};

}  // namespace sequela
