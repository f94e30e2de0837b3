#include "sequela/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "sequela/core/nan.h"

namespace sequela {
namespace {

constexpr double kMinProbability = 1e-12;
constexpr int kMaxSteps = 100;
constexpr double kMaxStep = 3;
constexpr double kSmallStep = 1e-5;  // of Newton's method, whose next step is its square

double weight_of(ScoredOutcomes::Weights weights, int64_t row) {
  return weights.empty() ? 1 : weights[row];
}

// Calls visit(positive weight, negative weight) for each run of equal scores, by falling score.
template <class Visit>
void visit_ties(const ScoredOutcomes& scored, ScoredOutcomes::Weights weights, Visit visit) {
  const auto& order = scored.order();
  for (size_t i = 0; i < order.size();) {
    const double score = scored.scores()[order[i]];
    double positive = 0, negative = 0;
    for (; i < order.size() && scored.scores()[order[i]] == score; ++i) {
      (scored.outcomes()[order[i]] ? positive : negative) += weight_of(weights, order[i]);
    }
    visit(positive, negative, score);
  }
}

// Gradient and negative Hessian of the log-likelihood by (intercept, slope).
struct Derivatives {
  double g0 = 0, g1 = 0, h00 = 0, h01 = 0, h11 = 0;
};

Derivatives derivatives_at(const LogitOutcomes& rows, const Calibration& point) {
  Derivatives d;
  for (size_t row = 0; row < rows.logits.size(); ++row) {
    const double weight = weight_of(rows.weights, static_cast<int64_t>(row));
    if (weight == 0) continue;
    const double x = rows.logits[row];
    const double p = 1 / (1 + std::exp(-point.intercept - point.slope * x));
    const double residual = weight * (rows.outcomes[row] - p);
    const double curvature = weight * p * (1 - p);
    d.g0 += residual;
    d.g1 += residual * x;
    d.h00 += curvature;
    d.h01 += curvature * x;
    d.h11 += curvature * x * x;
  }
  return d;
}

enum class Slope { free, fixed };

// Newton's step; NaN where the likelihood is flat.
Calibration newton_step(const Derivatives& d, Slope slope) {
  if (slope == Slope::fixed) return {d.h00 > 0 ? d.g0 / d.h00 : kNaN, 0};
  const double determinant = d.h00 * d.h11 - d.h01 * d.h01;
  if (!(determinant > 1e-12 * d.h00 * d.h11)) return {kNaN, kNaN};
  return {(d.h11 * d.g0 - d.h01 * d.g1) / determinant, (d.h00 * d.g1 - d.h01 * d.g0) / determinant};
}

// Maximises the likelihood, which is concave, by steps of Newton's method of at most kMaxStep; a
// step after which it falls steeply is halved. NaN if there is no maximum.
Calibration fit_by_newton(const LogitOutcomes& rows, Calibration point, Slope slope) {
  Calibration step{0, 0};
  double rise = 0;  // along the step, where it began
  for (int i = 0; i < kMaxSteps; ++i) {
    const Derivatives d = derivatives_at(rows, point);
    if (d.g0 * step.intercept + d.g1 * step.slope < -rise / 2) {
      step = {step.intercept / 2, step.slope / 2};
      rise /= 2;
      point = {point.intercept - step.intercept, point.slope - step.slope};
      continue;
    }
    step = newton_step(d, slope);
    const double size = std::max(std::abs(step.intercept), std::abs(step.slope));
    if (std::isnan(size)) break;
    if (size > kMaxStep) {
      step = {step.intercept * kMaxStep / size, step.slope * kMaxStep / size};
    }
    rise = d.g0 * step.intercept + d.g1 * step.slope;
    point = {point.intercept + step.intercept, point.slope + step.slope};
    if (size < kSmallStep) return point;
  }
  return {kNaN, kNaN};
}

double clamp_probability(double p) {
  return std::clamp(p, kMinProbability, 1 - kMinProbability);
}

}  // namespace

ScoredOutcomes::ScoredOutcomes(std::vector<double> scores, std::vector<uint8_t> outcomes)
    : scores_(std::move(scores)), outcomes_(std::move(outcomes)), order_(scores_.size()) {
  if (scores_.size() != outcomes_.size()) throw std::invalid_argument("as many scores as outcomes");
  for (const double score : scores_) {
    if (!std::isfinite(score)) throw std::invalid_argument("scores must be finite");
  }
  for (const uint8_t outcome : outcomes_) {
    if (outcome > 1) throw std::invalid_argument("outcomes must be 0 or 1");
    num_positive_ += outcome;
  }
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](int32_t a, int32_t b) { return scores_[a] > scores_[b]; });
}

double RankAreas::auroc() const {
  const double negative = total_ - positive_;
  return positive_ > 0 && negative > 0 ? under_roc_ / (positive_ * negative) : kNaN;
}

double RankAreas::average_precision() const {
  return positive_ > 0 && total_ > positive_ ? under_precision_ / positive_ : kNaN;
}

double ScoredOutcomes::auroc(Weights weights) const {
  RankAreas areas;
  visit_ties(*this, weights,
             [&](double positive, double negative, double) { areas.add(positive, negative); });
  return areas.auroc();
}

double ScoredOutcomes::average_precision(Weights weights) const {
  RankAreas areas;
  visit_ties(*this, weights,
             [&](double positive, double negative, double) { areas.add(positive, negative); });
  return areas.average_precision();
}

double ScoredOutcomes::brier(Weights weights) const {
  double sum = 0, total = 0;
  for (size_t row = 0; row < scores_.size(); ++row) {
    const double weight = weight_of(weights, row);
    const double difference = scores_[row] - outcomes_[row];
    sum += weight * difference * difference;
    total += weight;
  }
  return total > 0 ? sum / total : kNaN;
}

double ScoredOutcomes::log_loss(Weights weights) const {
  double sum = 0, total = 0;
  for (size_t row = 0; row < scores_.size(); ++row) {
    const double weight = weight_of(weights, row);
    sum += weight * log_loss_of(scores_[row], outcomes_[row]);
    total += weight;
  }
  return total > 0 ? sum / total : kNaN;
}

double log_loss_of(double probability, uint8_t outcome) {
  const double p = clamp_probability(probability);
  return -std::log(outcome ? p : 1 - p);
}

double to_logit(double probability) {
  const double p = clamp_probability(probability);
  return std::log(p / (1 - p));
}

Calibration fit_calibration(const ScoredOutcomes& scored, ScoredOutcomes::Weights weights) {
  std::vector<double> logits;
  for (const double score : scored.scores()) logits.push_back(to_logit(score));
  return fit_calibration({logits, scored.outcomes(), weights});
}

Calibration fit_calibration(const LogitOutcomes& rows, Calibration start) {
  return fit_by_newton(rows, start, Slope::free);
}

double fit_intercept(const LogitOutcomes& rows, double start) {
  return fit_by_newton(rows, {start, 1}, Slope::fixed).intercept;
}

std::vector<CurvePoint> threshold_curve(const ScoredOutcomes& scored) {
  const double num_positive = static_cast<double>(scored.num_positive());
  const double num_negative = static_cast<double>(scored.num_rows()) - num_positive;
  std::vector<CurvePoint> points;
  double positive_above = 0, negative_above = 0;
  visit_ties(scored, {}, [&](double positive, double negative, double score) {
    positive_above += positive;
    negative_above += negative;
    points.push_back({score, positive_above / num_positive, negative_above / num_negative,
                      positive_above / (positive_above + negative_above)});
  });
  return points;
}

std::vector<CalibrationBin> calibration_bins(const ScoredOutcomes& scored, int num_bins) {
  std::vector<CalibrationBin> bins;
  const int64_t num_rows = scored.num_rows();
  for (int bin = 0; bin < num_bins; ++bin) {
    const int64_t first = num_rows * bin / num_bins, end = num_rows * (bin + 1) / num_bins;
    if (first == end) continue;
    CalibrationBin sums{0, 0, end - first};
    for (int64_t i = first; i < end; ++i) {
      const int32_t row = scored.order()[num_rows - 1 - i];  // by rising score
      sums.mean_score += scored.scores()[row];
      sums.positive_rate += scored.outcomes()[row];
    }
    sums.mean_score /= static_cast<double>(sums.num_rows);
    sums.positive_rate /= static_cast<double>(sums.num_rows);
    bins.push_back(sums);
  }
  return bins;
}

}  // namespace sequela
