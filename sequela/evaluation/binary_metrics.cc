#include "sequela/evaluation/binary_metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sequela/core/nan.h"
#include "sequela/evaluation/lowess.h"

namespace sequela {
namespace {

constexpr double kAlertRates[] = {0.01, 0.05, 0.1};
constexpr double kThresholds[] = {0.2, 0.1, 0.05};  // of the net benefit, falling
constexpr int kNumBins = 10;                        // of the expected calibration error
constexpr size_t kMaxCurvePoints = 2000;

size_t index_of(BinaryFigure figure) {
  return static_cast<size_t>(figure);
}

// Sums over the rows above a place.
struct Above {
  double total = 0, positive = 0, predicted = 0;
};

double net_benefit(const Above& alerted, double total, double threshold) {
  const double odds = threshold / (1 - threshold);
  return (alerted.positive - (alerted.total - alerted.positive) * odds) / total;
}

}  // namespace

// What a pass over the rows finds.
struct BinaryMetrics::Sums {
  RankAreas areas;
  double squares = 0, losses = 0, predicted = 0;
  std::array<double, std::size(kAlertRates)> alerted_positive = {};
  std::vector<Above> at_cuts;
  std::vector<double> bin_weights, bin_positive;  // by point of the calibration curve

  Above above() const { return {areas.total(), areas.positive(), predicted}; }
};

BinaryMetrics::BinaryMetrics(std::vector<double> probabilities, std::vector<uint8_t> outcomes,
                             std::span<const int32_t> rows)
    : scored_(std::move(probabilities), std::move(outcomes)) {
  const size_t count = scored_.order().size();
  for (auto* column : {&scores_, &logits_, &losses_}) column->reserve(count);
  for (const int32_t row : scored_.order()) {
    const double score = scored_.scores()[row];
    const uint8_t outcome = scored_.outcomes()[row];
    rows_.push_back(rows.empty() ? row : rows[row]);
    outcomes_.push_back(outcome);
    scores_.push_back(score);
    logits_.push_back(to_logit(score));
    losses_.push_back(log_loss_of(score, outcome));
  }
  prepare_ties();
  prepare_bins();
  calibration_ = fit_calibration(LogitOutcomes{logits_, outcomes_});
  in_the_large_ = fit_intercept({logits_, outcomes_});
}

void BinaryMetrics::prepare_ties() {
  for (size_t i = 0; i < scores_.size(); ++i) {
    if (i == 0 || scores_[i] != scores_[i - 1]) tie_starts_.push_back(static_cast<int32_t>(i));
  }
  const auto num_ties = static_cast<int32_t>(tie_starts_.size());
  tie_starts_.push_back(static_cast<int32_t>(scores_.size()));
  // The number of runs whose score satisfies a condition that holds for the highest.
  const auto count_ties = [&](auto condition) {
    int32_t low = 0, high = num_ties;
    while (low < high) {
      const int32_t middle = (low + high) / 2;
      condition(scores_[tie_starts_[middle]]) ? low = middle + 1 : high = middle;
    }
    return low;
  };
  for (int bin = kNumBins - 1; bin >= 0; --bin) {
    const double edge = bin / static_cast<double>(kNumBins);
    cuts_.push_back(count_ties([&](double score) { return bin == 0 || score > edge; }));
  }
  for (const double threshold : kThresholds) {
    cuts_.push_back(count_ties([&](double score) { return score >= threshold; }));
  }
}

void BinaryMetrics::prepare_bins() {
  const size_t num_ties = tie_starts_.size() - 1;
  if (num_ties == 0) return;
  const double least = scores_.back(), range = scores_.front() - least;
  tie_bins_.resize(num_ties);
  std::vector<double> counts;
  double last_place = -1;
  for (size_t tie = num_ties; tie-- > 0;) {
    const double score = scores_[tie_starts_[tie]];
    const double place = num_ties <= kMaxCurvePoints
                             ? static_cast<double>(num_ties - tie)
                             : std::floor((score - least) / range * (kMaxCurvePoints - 1));
    if (place != last_place) {
      bin_scores_.push_back(0);
      counts.push_back(0);
    }
    last_place = place;
    const double num_rows = tie_starts_[tie + 1] - tie_starts_[tie];
    bin_scores_.back() += num_rows * score;
    counts.back() += num_rows;
    tie_bins_[tie] = static_cast<int32_t>(bin_scores_.size()) - 1;
  }
  for (size_t bin = 0; bin < counts.size(); ++bin) bin_scores_[bin] /= counts[bin];
}

BinaryMetrics::Sums BinaryMetrics::sum_up(std::span<const double> weights, double total) const {
  Sums sums;
  sums.at_cuts.resize(cuts_.size());
  sums.bin_weights.resize(bin_scores_.size());
  sums.bin_positive.resize(bin_scores_.size());
  std::vector<std::pair<size_t, size_t>> cuts;  // run, number of the cut
  for (size_t i = 0; i < cuts_.size(); ++i) cuts.emplace_back(cuts_[i], i);
  std::sort(cuts.begin(), cuts.end());
  size_t cut = 0, rate = 0;
  const size_t num_ties = tie_starts_.size() - 1;
  for (size_t tie = 0; tie <= num_ties; ++tie) {
    for (; cut < cuts.size() && cuts[cut].first == tie; ++cut) {
      sums.at_cuts[cuts[cut].second] = sums.above();
    }
    if (tie == num_ties) break;
    double positive = 0, negative = 0;
    for (int32_t i = tie_starts_[tie]; i < tie_starts_[tie + 1]; ++i) {
      const double weight = weights[i], difference = scores_[i] - outcomes_[i];
      (outcomes_[i] ? positive : negative) += weight;
      sums.squares += weight * difference * difference;
      sums.losses += weight * losses_[i];
      sums.predicted += weight * scores_[i];
    }
    const Above before = sums.above();
    sums.areas.add(positive, negative);
    sums.bin_weights[tie_bins_[tie]] += positive + negative;
    sums.bin_positive[tie_bins_[tie]] += positive;
    for (; rate < std::size(kAlertRates) && sums.areas.total() >= kAlertRates[rate] * total &&
           positive + negative > 0;
         ++rate) {
      const double share = (kAlertRates[rate] * total - before.total) / (positive + negative);
      sums.alerted_positive[rate] = before.positive + share * positive;
    }
  }
  return sums;
}

void BinaryMetrics::fill_calibration(std::span<const double> weights,
                                     std::span<double> values) const {
  const LogitOutcomes rows{logits_, outcomes_, weights};
  Calibration calibration{kNaN, kNaN};
  if (!std::isnan(calibration_.slope)) calibration = fit_calibration(rows, calibration_);
  values[index_of(BinaryFigure::calibration_slope)] = calibration.slope;
  values[index_of(BinaryFigure::calibration_intercept)] = calibration.intercept;
  if (!std::isnan(in_the_large_)) {
    values[index_of(BinaryFigure::calibration_in_the_large)] = fit_intercept(rows, in_the_large_);
  }
}

double BinaryMetrics::calibration_index(const Sums& sums) const {
  double least = 0, most = 0;
  bool is_first = true;
  for (size_t bin = 0; bin < bin_scores_.size(); ++bin) {
    if (!(sums.bin_weights[bin] > 0)) continue;
    if (is_first) least = bin_scores_[bin];
    is_first = false;
    most = bin_scores_[bin];
  }
  const std::vector<double> curve =
      lowess({bin_scores_, sums.bin_weights, sums.bin_positive}, {.delta = (most - least) / 100});
  double distance = 0;
  for (size_t bin = 0; bin < curve.size(); ++bin) {
    if (sums.bin_weights[bin] > 0) {
      distance += sums.bin_weights[bin] * std::abs(curve[bin] - bin_scores_[bin]);
    }
  }
  return distance / sums.areas.total();
}

void BinaryMetrics::compute(std::span<const double> weights, std::span<double> values) const {
  std::fill_n(values.begin(), kNumBinaryFigures, kNaN);
  std::vector<double> sorted(rows_.size(), 1);
  for (size_t i = 0; i < rows_.size() && !weights.empty(); ++i) sorted[i] = weights[rows_[i]];
  const double total = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  if (!(total > 0)) return;
  const auto set = [&](BinaryFigure figure, double value) { values[index_of(figure)] = value; };
  const Sums sums = sum_up(sorted, total);
  set(BinaryFigure::auroc, sums.areas.auroc());
  set(BinaryFigure::average_precision, sums.areas.average_precision());
  set(BinaryFigure::brier, sums.squares / total);
  set(BinaryFigure::log_loss, sums.losses / total);
  const double positive = sums.areas.positive();
  if (positive > 0 && positive < total) fill_calibration(sorted, values);
  double error = 0;
  Above before;
  for (int bin = 0; bin < kNumBins; ++bin) {
    const Above& above = sums.at_cuts[bin];
    error += std::abs((above.predicted - before.predicted) - (above.positive - before.positive));
    before = above;
  }
  set(BinaryFigure::expected_calibration_error, error / total);
  set(BinaryFigure::integrated_calibration_index, calibration_index(sums));
  size_t place = index_of(BinaryFigure::sensitivity_at_1_percent);
  for (size_t rate = 0; rate < std::size(kAlertRates); ++rate) {
    const double found = sums.alerted_positive[rate];
    values[place++] = positive > 0 ? found / positive : kNaN;
    values[place++] = found / (kAlertRates[rate] * total);
  }
  for (size_t i = 0; i < std::size(kThresholds); ++i) {
    values[kNumBinaryFigures - 1 - i] =
        net_benefit(sums.at_cuts[kNumBins + i], total, kThresholds[i]);
  }
}

std::string BinaryMetrics::why_not(BinaryFigure figure) const {
  const int64_t positive = scored_.num_positive(), rows = scored_.num_rows();
  if (rows == 0) return "no rows";
  const size_t index = index_of(figure);
  const bool needs_both = index <= index_of(BinaryFigure::average_precision) ||
                          (index >= index_of(BinaryFigure::calibration_slope) &&
                           index <= index_of(BinaryFigure::calibration_in_the_large));
  const std::string_view name = kBinaryFigureNames[index];
  if (positive == 0 && (needs_both || name.starts_with("sensitivity"))) return "no positive row";
  if (positive == rows && needs_both) return "no negative row";
  const bool is_joint =
      figure == BinaryFigure::calibration_slope || figure == BinaryFigure::calibration_intercept;
  if (!is_joint || !std::isnan(calibration_.slope)) return "";
  return tie_starts_.size() == 2 ? "all scores are equal"
                                 : "the scores separate the outcomes perfectly";
}

BinaryMetrics::CalibrationCurve BinaryMetrics::calibration_curve() const {
  if (scores_.empty()) return {};
  const std::vector<double> ones(scores_.size(), 1);
  const Sums sums = sum_up(ones, static_cast<double>(scores_.size()));
  const double range = bin_scores_.back() - bin_scores_.front();
  return {bin_scores_,
          lowess({bin_scores_, sums.bin_weights, sums.bin_positive}, {.delta = range / 100})};
}

}  // namespace sequela
