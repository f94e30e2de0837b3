#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sequela {

inline constexpr auto kRegressionFigureNames =
    std::to_array<std::string_view>({"mae", "rmse", "r2", "spearman"});

// How predicted numbers compare with the true ones: mean absolute error, root of the mean squared
// error, 1 - squared errors over those of the mean, and the correlation of ranks (of equal values
// the mean rank). compute() is a WeightedMetrics. Values equal scikit-learn's and scipy's.
class RegressionMetrics {
 public:
  // Throws std::invalid_argument if the numbers of values differ, or one is not finite.
  RegressionMetrics(std::vector<double> values, std::vector<double> predicted);

  size_t num_rows() const { return values_.size(); }
  const auto& names() const { return kRegressionFigureNames; }
  // Fills in four figures; NaN where not defined.
  void compute(std::span<const double> weights, std::span<double> figures) const;
  // Why a figure of all rows is not defined, in words; empty if it is.
  std::string_view why_not(size_t figure) const;

 private:
  std::vector<double> values_, predicted_;
  std::vector<int32_t> by_value_, by_predicted_;  // rows, ascending
};

}  // namespace sequela
