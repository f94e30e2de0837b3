#include "sequela/evaluation/lowess.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sequela/core/nan.h"

namespace sequela {
namespace {

constexpr double kLeastSpread = 1e-12;  // of x, squared

// The points that are there.
struct PresentPoints {
  std::vector<double> x, weights, y_sums;
  std::vector<size_t> places;  // among all points

  explicit PresentPoints(const WeightedPoints& points) {
    for (size_t i = 0; i < points.x.size(); ++i) {
      if (!(points.weights[i] > 0)) continue;
      x.push_back(points.x[i]);
      weights.push_back(points.weights[i]);
      y_sums.push_back(points.y_sums[i]);
      places.push_back(i);
    }
  }
};

struct Neighbours {
  size_t first, end;
  double radius;
};

// The nearest points of x[i] until they weigh `least`.
Neighbours nearest(const PresentPoints& points, size_t i, double least) {
  size_t first = i, end = i + 1;
  double weight = points.weights[i], radius = 0;
  while (weight < least && (first > 0 || end < points.x.size())) {
    constexpr double kFar = std::numeric_limits<double>::infinity();
    const double left = first > 0 ? points.x[i] - points.x[first - 1] : kFar;
    const double right = end < points.x.size() ? points.x[end] - points.x[i] : kFar;
    radius = std::min(left, right);
    weight += left <= right ? points.weights[--first] : points.weights[end++];
  }
  return {first, end, radius};
}

double fit_line(const PresentPoints& points, size_t i, const Neighbours& near) {
  double weight = 0, sum_x = 0, sum_xx = 0, sum_y = 0, sum_xy = 0;
  for (size_t j = near.first; j < near.end; ++j) {
    const double offset = points.x[j] - points.x[i];
    const double distance = near.radius > 0 ? std::abs(offset) / near.radius : 0;
    const double rest = 1 - distance * distance * distance;
    const double tricube = rest * rest * rest;
    weight += tricube * points.weights[j];
    sum_x += tricube * points.weights[j] * offset;
    sum_xx += tricube * points.weights[j] * offset * offset;
    sum_y += tricube * points.y_sums[j];
    sum_xy += tricube * points.y_sums[j] * offset;
  }
  const double mean_x = sum_x / weight, mean_y = sum_y / weight;
  const double spread = std::max(sum_xx / weight - mean_x * mean_x, kLeastSpread);
  return mean_y - mean_x * (sum_xy / weight - mean_x * mean_y) / spread;
}

// The next x to fit: the farthest within delta.
size_t next_fit(const PresentPoints& points, size_t i, double delta) {
  const auto end = std::upper_bound(points.x.begin() + i, points.x.end(), points.x[i] + delta);
  return std::max<size_t>(i + 1, end - points.x.begin() - 1);
}

}  // namespace

std::vector<double> lowess(const WeightedPoints& points, const LowessOptions& options) {
  std::vector<double> curve(points.x.size(), kNaN);
  const PresentPoints present(points);
  if (present.x.empty()) return curve;
  double total = 0;
  for (const double weight : present.weights) total += weight;
  const double least =
      std::clamp(std::floor(options.span * total + 1e-10), std::min(2.0, total), total);
  std::vector<double> fitted(present.x.size());
  for (size_t i = 0, last = 0; i < fitted.size();) {
    fitted[i] = fit_line(present, i, nearest(present, i, least));
    for (size_t j = last + 1; j < i; ++j) {
      const double share = (present.x[j] - present.x[last]) / (present.x[i] - present.x[last]);
      fitted[j] = share * fitted[i] + (1 - share) * fitted[last];
    }
    last = i;
    i = next_fit(present, i, options.delta);
  }
  for (size_t i = 0; i < fitted.size(); ++i) curve[present.places[i]] = fitted[i];
  return curve;
}

}  // namespace sequela
