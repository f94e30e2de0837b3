#include "sequela/evaluation/curve_bands.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sequela/core/nan.h"
#include "sequela/evaluation/lowess.h"

namespace sequela {
namespace {

constexpr size_t kRocPlaces = 101, kRecallPlaces = 100, kThresholdPlaces = 99;
constexpr size_t kMaxBandBins = 200, kMaxCalibrationPlaces = 41;

// Rows by falling probability, and the grids at which their curves are read.
class CurveGrid {
 public:
  explicit CurveGrid(const CurveRows& rows) {
    order_.resize(rows.probabilities.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) {
      return rows.probabilities[a] > rows.probabilities[b];
    });
    for (const int32_t row : order_) {
      scores_.push_back(rows.probabilities[row]);
      outcomes_.push_back(rows.outcomes[row]);
    }
    make_bins();
    make_places();
  }

  // Of all four curves, one after the other.
  size_t num_values() const {
    return kRocPlaces + kRecallPlaces + kThresholdPlaces + calibration_places_.size();
  }
  const std::vector<double>& calibration_places() const { return calibration_places_; }

  void compute(std::span<const double> weights, std::span<double> values) const {
    Points points = points_of(weights);
    fill_roc(points, values.subspan(0, kRocPlaces));
    fill_recall(points, values.subspan(kRocPlaces, kRecallPlaces));
    fill_decision(points, values.subspan(kRocPlaces + kRecallPlaces, kThresholdPlaces));
    fill_calibration(points, values.subspan(kRocPlaces + kRecallPlaces + kThresholdPlaces));
  }

 private:
  // Sums of weights down to each distinct score, and by bin.
  struct Points {
    std::vector<double> scores, positive, negative;  // cumulative
    std::vector<double> bin_weights, bin_positive;
  };

  void make_bins() {
    const auto num = static_cast<int64_t>(scores_.size());
    bins_.resize(num);
    std::vector<double> counts;
    const double least = scores_.back(), range = scores_.front() - least;
    double last_place = -1;
    for (int64_t i = num; i-- > 0;) {
      const double place =
          range > 0 ? std::floor((scores_[i] - least) / range * (kMaxBandBins - 1)) : 0;
      if (place != last_place) {
        bin_scores_.push_back(0);
        counts.push_back(0);
      }
      last_place = place;
      bin_scores_.back() += scores_[i];
      counts.back() += 1;
      bins_[i] = static_cast<int32_t>(bin_scores_.size()) - 1;
    }
    for (size_t bin = 0; bin < counts.size(); ++bin) bin_scores_[bin] /= counts[bin];
  }

  void make_places() {
    const size_t all = bin_scores_.size(), kept = std::min(all, kMaxCalibrationPlaces);
    for (size_t i = 0; i < kept; ++i) {
      calibration_bins_.push_back(kept > 1 ? i * (all - 1) / (kept - 1) : 0);
      calibration_places_.push_back(bin_scores_[calibration_bins_.back()]);
    }
  }

  Points points_of(std::span<const double> weights) const {
    Points points;
    points.bin_weights.resize(bin_scores_.size());
    points.bin_positive.resize(bin_scores_.size());
    double positive = 0, negative = 0;
    for (size_t i = 0; i < scores_.size(); ++i) {
      const double weight = weights.empty() ? 1 : weights[order_[i]];
      (outcomes_[i] != 0 ? positive : negative) += weight;
      points.bin_weights[bins_[i]] += weight;
      if (outcomes_[i] != 0) points.bin_positive[bins_[i]] += weight;
      if (i + 1 < scores_.size() && scores_[i + 1] == scores_[i]) continue;
      points.scores.push_back(scores_[i]);
      points.positive.push_back(positive);
      points.negative.push_back(negative);
    }
    return points;
  }

  static void fill_roc(const Points& points, std::span<double> values) {
    const double positives = points.positive.back(), negatives = points.negative.back();
    std::ranges::fill(values, kNaN);
    if (!(positives > 0 && negatives > 0)) return;
    size_t next = 0;
    double rate = 0, before_rate = 0, found = 0, before_found = 0;
    for (size_t place = 0; place < values.size(); ++place) {
      const double wanted = static_cast<double>(place) / static_cast<double>(values.size() - 1);
      // Up to the first point beyond the wanted rate; of points at it, the last.
      while (next < points.scores.size() && rate <= wanted) {
        before_rate = rate;
        before_found = found;
        rate = points.negative[next] / negatives;
        found = points.positive[next] / positives;
        ++next;
      }
      const double share = rate > wanted ? (wanted - before_rate) / (rate - before_rate) : 1.0;
      values[place] = before_found + share * (found - before_found);
    }
  }

  static void fill_recall(const Points& points, std::span<double> values) {
    const double positives = points.positive.back();
    std::ranges::fill(values, kNaN);
    if (!(positives > 0)) return;
    size_t next = 0;
    for (size_t place = 0; place < values.size(); ++place) {
      const double wanted =
          positives * static_cast<double>(place + 1) / static_cast<double>(values.size());
      while (next + 1 < points.scores.size() && points.positive[next] < wanted * (1 - 1e-12))
        ++next;
      values[place] = points.positive[next] / (points.positive[next] + points.negative[next]);
    }
  }

  static void fill_decision(const Points& points, std::span<double> values) {
    const double total = points.positive.back() + points.negative.back();
    size_t next = points.scores.size();
    for (size_t place = 0; place < values.size(); ++place) {
      const double threshold = static_cast<double>(place + 1) / 100;
      while (next > 0 && points.scores[next - 1] < threshold) --next;
      const double positive = next > 0 ? points.positive[next - 1] : 0;
      const double negative = next > 0 ? points.negative[next - 1] : 0;
      values[place] =
          total > 0 ? (positive - negative * threshold / (1 - threshold)) / total : kNaN;
    }
  }

  void fill_calibration(const Points& points, std::span<double> values) const {
    double least = kNaN, most = kNaN;
    for (size_t bin = 0; bin < bin_scores_.size(); ++bin) {
      if (!(points.bin_weights[bin] > 0)) continue;
      if (std::isnan(least)) least = bin_scores_[bin];
      most = bin_scores_[bin];
    }
    std::ranges::fill(values, kNaN);
    if (std::isnan(least)) return;
    const std::vector<double> curve = lowess({bin_scores_, points.bin_weights, points.bin_positive},
                                             {.delta = (most - least) / 100});
    for (size_t i = 0; i < values.size(); ++i) values[i] = curve[calibration_bins_[i]];
  }

  std::vector<int32_t> order_, bins_;
  std::vector<double> scores_;
  std::vector<uint8_t> outcomes_;
  std::vector<double> bin_scores_, calibration_places_;
  std::vector<size_t> calibration_bins_;
};

}  // namespace

CurveBands find_curve_bands(const CurveRows& rows, const BootstrapOptions& options) {
  CurveBands bands;
  if (rows.probabilities.empty()) return bands;
  const CurveGrid grid(rows);
  ResampledFigures resampled =
      resample_figures([&](std::span<const double> weights,
                           std::span<double> values) { grid.compute(weights, values); },
                       static_cast<int>(grid.num_values()), rows.subject_ids, options);
  size_t next = 0;
  const auto take = [&](CurveBand& band, double place) {
    band.places.push_back(place);
    band.values.push_back(
        to_interval(resampled.values[next], std::move(resampled.resampled[next]), options.level));
    ++next;
  };
  for (size_t i = 0; i < kRocPlaces; ++i) take(bands.roc, static_cast<double>(i) / 100);
  for (size_t i = 1; i <= kRecallPlaces; ++i)
    take(bands.precision_recall, static_cast<double>(i) / 100);
  for (size_t i = 1; i <= kThresholdPlaces; ++i) take(bands.decision, static_cast<double>(i) / 100);
  for (const double place : grid.calibration_places()) take(bands.calibration, place);
  return bands;
}

}  // namespace sequela
