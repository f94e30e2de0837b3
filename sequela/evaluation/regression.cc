#include "sequela/evaluation/regression.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "sequela/core/nan.h"

namespace sequela {
namespace {

std::vector<int32_t> ascending_order(const std::vector<double>& values) {
  std::vector<int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int32_t row) { return values[row]; });
  return order;
}

// By row: the weight below its value and half of that at it.
std::vector<double> ranks_of(const std::vector<double>& values, std::span<const int32_t> order,
                             std::span<const double> weights) {
  std::vector<double> ranks(values.size());
  double below = 0;
  for (size_t first = 0, end = 0; first < order.size(); first = end) {
    double tied = 0;
    for (; end < order.size() && values[order[end]] == values[order[first]]; ++end) {
      tied += weights[order[end]];
    }
    for (size_t i = first; i < end; ++i) ranks[order[i]] = below + tied / 2;
    below += tied;
  }
  return ranks;
}

double weighted_mean(std::span<const double> values, std::span<const double> weights) {
  double sum = 0, total = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += weights[i] * values[i];
    total += weights[i];
  }
  return sum / total;
}

double correlation(std::span<const double> a, std::span<const double> b,
                   std::span<const double> weights) {
  const double mean_a = weighted_mean(a, weights), mean_b = weighted_mean(b, weights);
  double aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    aa += weights[i] * (a[i] - mean_a) * (a[i] - mean_a);
    bb += weights[i] * (b[i] - mean_b) * (b[i] - mean_b);
    ab += weights[i] * (a[i] - mean_a) * (b[i] - mean_b);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : kNaN;
}

bool all_equal(const std::vector<double>& values) {
  return std::ranges::adjacent_find(values, std::not_equal_to<>()) == values.end();
}

}  // namespace

RegressionMetrics::RegressionMetrics(std::vector<double> values, std::vector<double> predicted)
    : values_(std::move(values)), predicted_(std::move(predicted)) {
  if (values_.size() != predicted_.size())
    throw std::invalid_argument("as many values as predicted");
  for (const auto* numbers : {&values_, &predicted_}) {
    if (!std::ranges::all_of(*numbers, [](double value) { return std::isfinite(value); })) {
      throw std::invalid_argument("values must be finite");
    }
  }
  by_value_ = ascending_order(values_);
  by_predicted_ = ascending_order(predicted_);
}

void RegressionMetrics::compute(std::span<const double> weights, std::span<double> figures) const {
  std::fill_n(figures.begin(), kRegressionFigureNames.size(), kNaN);
  const std::vector<double> ones(weights.empty() ? values_.size() : 0, 1);
  if (weights.empty()) weights = ones;
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(total > 0)) return;
  const double mean = weighted_mean(values_, weights);
  double absolute = 0, squared = 0, spread = 0;
  for (size_t i = 0; i < values_.size(); ++i) {
    const double error = predicted_[i] - values_[i];
    absolute += weights[i] * std::abs(error);
    squared += weights[i] * error * error;
    spread += weights[i] * (values_[i] - mean) * (values_[i] - mean);
  }
  figures[0] = absolute / total;
  figures[1] = std::sqrt(squared / total);
  // Below that it is what rounding leaves of equal values.
  if (spread > 1e-20 * total * mean * mean) figures[2] = 1 - squared / spread;
  figures[3] = correlation(ranks_of(values_, by_value_, weights),
                           ranks_of(predicted_, by_predicted_, weights), weights);
}

std::string_view RegressionMetrics::why_not(size_t figure) const {
  if (values_.empty()) return "no rows";
  if (figure >= 2 && all_equal(values_)) return "all values are equal";
  if (figure == 3 && all_equal(predicted_)) return "all predicted values are equal";
  return "";
}

}  // namespace sequela
