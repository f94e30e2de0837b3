#include "sequela/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace sequela {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kMinProbability = 1e-12;

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

double ScoredOutcomes::auroc(Weights weights) const {
  double sum_positive = 0, sum_negative = 0, area = 0;
  visit_ties(*this, weights, [&](double positive, double negative, double) {
    area += negative * (sum_positive + positive / 2);
    sum_positive += positive;
    sum_negative += negative;
  });
  return sum_positive > 0 && sum_negative > 0 ? area / (sum_positive * sum_negative) : kNaN;
}

double ScoredOutcomes::average_precision(Weights weights) const {
  double sum_positive = 0, sum = 0, area = 0;
  visit_ties(*this, weights, [&](double positive, double negative, double) {
    sum_positive += positive;
    sum += positive + negative;
    if (sum > 0) area += positive * sum_positive / sum;
  });
  return sum_positive > 0 && sum > sum_positive ? area / sum_positive : kNaN;
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
    const double p = clamp_probability(scores_[row]);
    sum -= weight * std::log(outcomes_[row] ? p : 1 - p);
    total += weight;
  }
  return total > 0 ? sum / total : kNaN;
}

Calibration fit_calibration(const ScoredOutcomes& scored, ScoredOutcomes::Weights weights) {
  constexpr int kMaxSteps = 100;
  double intercept = 0, slope = 1;
  for (int step = 0; step < kMaxSteps; ++step) {
    // Newton's method: gradient g and Hessian h of the log-likelihood.
    double g0 = 0, g1 = 0, h00 = 0, h01 = 0, h11 = 0;
    for (int64_t row = 0; row < scored.num_rows(); ++row) {
      const double score = clamp_probability(scored.scores()[row]);
      const double x = std::log(score / (1 - score));
      const double p = 1 / (1 + std::exp(-intercept - slope * x));
      const double weight = weight_of(weights, row);
      const double residual = weight * (scored.outcomes()[row] - p);
      const double curvature = weight * p * (1 - p);
      g0 += residual;
      g1 += residual * x;
      h00 += curvature;
      h01 += curvature * x;
      h11 += curvature * x * x;
    }
    const double determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 1e-12 * h00 * h11)) break;
    const double change_0 = (h11 * g0 - h01 * g1) / determinant;
    const double change_1 = (h00 * g1 - h01 * g0) / determinant;
    const double shrink = std::min(1.0, 3 / std::max(std::abs(change_0), std::abs(change_1)));
    intercept += shrink * change_0;
    slope += shrink * change_1;
    if (std::abs(change_0) + std::abs(change_1) < 1e-10) return {intercept, slope};
  }
  return {kNaN, kNaN};
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
