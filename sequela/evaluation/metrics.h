#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sequela {

// The areas under the ROC and the precision-recall curve, from runs of equal scores that come by
// falling score.
class RankAreas {
 public:
  // The weights of a run's positives and negatives.
  void add(double positive, double negative) {
    under_roc_ += negative * (positive_ + positive / 2);
    positive_ += positive;
    total_ += positive + negative;
    if (positive > 0) under_precision_ += positive * positive_ / total_;
  }
  double positive() const { return positive_; }
  double total() const { return total_; }
  double auroc() const;              // NaN without a positive or a negative
  double average_precision() const;  // likewise

 private:
  double positive_ = 0, total_ = 0, under_roc_ = 0, under_precision_ = 0;
};

// How scores compare with binary outcomes. Rows are sorted once, so that each metric is one pass; a
// weight for each row (0 drops it, 2 counts it twice) serves resampling; without weights each
// counts once.
//
// Metrics are NaN where they are not defined: without a positive, or a negative, row of weight > 0.
class ScoredOutcomes {
 public:
  // scores: any finite numbers, higher = more likely. outcomes: 0 or 1, as many.
  // Throws std::invalid_argument otherwise.
  ScoredOutcomes(std::vector<double> scores, std::vector<uint8_t> outcomes);

  using Weights = std::span<const double>;
  // Probability that a positive row scores above a negative one; ties count half.
  double auroc(Weights weights = {}) const;
  // Area under the precision-recall curve by steps (average precision), as scikit-learn has it.
  double average_precision(Weights weights = {}) const;
  // Mean squared difference of score and outcome; the scores must be probabilities.
  double brier(Weights weights = {}) const;
  // Mean negative log-likelihood, in nats; probabilities are held 1e-12 away from 0 and 1.
  double log_loss(Weights weights = {}) const;

  int64_t num_rows() const { return static_cast<int64_t>(scores_.size()); }
  int64_t num_positive() const { return num_positive_; }
  const std::vector<double>& scores() const { return scores_; }
  const std::vector<uint8_t>& outcomes() const { return outcomes_; }
  // Row numbers by descending score, equal scores by row.
  const std::vector<int32_t>& order() const { return order_; }

 private:
  std::vector<double> scores_;
  std::vector<uint8_t> outcomes_;
  std::vector<int32_t> order_;
  int64_t num_positive_ = 0;
};

// logit P(outcome) = intercept + slope * logit(score), by maximum likelihood: 0 and 1 are perfect,
// a slope below 1 means overconfidence. NaN if all scores or all outcomes are equal, or are
// separated perfectly.
struct Calibration {
  double intercept;
  double slope;
};
Calibration fit_calibration(const ScoredOutcomes& scored, ScoredOutcomes::Weights weights = {});

// The same of logits; `start` is where the search begins. All spans have one entry a row, but that
// no weights are all 1.
struct LogitOutcomes {
  std::span<const double> logits;
  std::span<const uint8_t> outcomes;
  std::span<const double> weights = {};
};
Calibration fit_calibration(const LogitOutcomes& rows, Calibration start = {0, 1});
// Calibration in the large: the intercept where the slope is held at 1. NaN if all outcomes are
// equal.
double fit_intercept(const LogitOutcomes& rows, double start = 0);
// A probability's logit, held as far from the infinite as log_loss holds it.
double to_logit(double probability);
// -ln of the probability that a score gives the outcome, held likewise.
double log_loss_of(double probability, uint8_t outcome);

// Points for plots, one at each distinct score, by falling threshold.
struct CurvePoint {
  double threshold;
  double true_positive_rate;  // = recall
  double false_positive_rate;
  double precision;
};
std::vector<CurvePoint> threshold_curve(const ScoredOutcomes& scored);

// Rows in `num_bins` bins of nearly equal size by score, for a reliability diagram.
struct CalibrationBin {
  double mean_score;
  double positive_rate;
  int64_t num_rows;
};
std::vector<CalibrationBin> calibration_bins(const ScoredOutcomes& scored, int num_bins = 10);

}  // namespace sequela
