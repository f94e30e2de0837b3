#include "sequela/evaluation/column_scales.h"

#include <cmath>

namespace sequela {
namespace {

// 1 / standard deviation; 0 where rounding is all that varies.
double to_factor(double mean, double mean_square) {
  const double variance = mean_square - mean * mean;
  return variance > 1e-10 * mean_square ? 1 / std::sqrt(variance) : 0;
}

}  // namespace

ColumnScales standardize(DenseMatrix& matrix) {
  const auto num_columns = static_cast<size_t>(matrix.num_columns);
  const auto count = static_cast<double>(matrix.num_rows);
  ColumnScales scales{std::vector<double>(num_columns), std::vector<double>(num_columns)};
  std::vector<double> variances(num_columns);
  for (int64_t i = 0; i < matrix.num_rows; ++i) {
    for (size_t c = 0; c < num_columns; ++c) scales.means[c] += matrix.row(i)[c] / count;
  }
  for (int64_t i = 0; i < matrix.num_rows; ++i) {
    for (size_t c = 0; c < num_columns; ++c) {
      const double difference = matrix.row(i)[c] - scales.means[c];
      variances[c] += difference * difference / count;
    }
  }
  for (size_t c = 0; c < num_columns; ++c) {
    const double mean = scales.means[c];
    scales.factors[c] = to_factor(0, variances[c] > 1e-10 * mean * mean ? variances[c] : 0);
  }
  for (int64_t i = 0; i < matrix.num_rows; ++i) {
    float* row = matrix.values.data() + i * matrix.num_columns;
    for (size_t c = 0; c < num_columns; ++c) {
      row[c] = static_cast<float>((row[c] - scales.means[c]) * scales.factors[c]);
    }
  }
  return scales;
}

ColumnScales standardize(SparseMatrix& matrix) {
  const auto num_columns = static_cast<size_t>(matrix.num_columns);
  ColumnScales scales{std::vector<double>(num_columns), std::vector<double>(num_columns)};
  std::vector<double> sums(num_columns), squares(num_columns);
  for (size_t k = 0; k < matrix.values.size(); ++k) {
    const double value = matrix.values[k];
    sums[matrix.columns[k]] += value;
    squares[matrix.columns[k]] += value * value;
  }
  const auto count = static_cast<double>(matrix.num_rows);
  for (size_t c = 0; c < num_columns; ++c) {
    scales.factors[c] = to_factor(sums[c] / count, squares[c] / count);
  }
  for (size_t k = 0; k < matrix.values.size(); ++k) {
    matrix.values[k] *= static_cast<float>(scales.factors[matrix.columns[k]]);
  }
  return scales;
}

}  // namespace sequela
