#pragma once

#include <span>
#include <vector>

namespace sequela {

// Points of a scatter plot with as many copies as their weights, which need not be whole.
struct WeightedPoints {
  std::span<const double> x;        // ascending, each value once
  std::span<const double> weights;  // >= 0; with 0 a point is not there
  std::span<const double> y_sums;   // weight times the mean y at that x
};

struct LowessOptions {
  double span = 2.0 / 3;  // share of the points that a fit sees
  double delta = 0;       // fits this far apart at most, with straight lines between
};

// A smooth curve through the points, at each x: local lines with tricube weights over the nearest
// `span` of the points, without robustness iterations, as outcomes of 0 and 1 want it. Equals
// statsmodels' lowess(it=0) of the points written out; where more than `span` of them share one x,
// the curve is their mean. NaN at points of weight 0.
//
// Source: Cleveland, Robust locally weighted regression and smoothing scatterplots, Journal of the
// American Statistical Association 74 (1979), 829-836.
std::vector<double> lowess(const WeightedPoints& points, const LowessOptions& options = {});

}  // namespace sequela
