#include "sequela/evaluation/matrix.h"

namespace sequela {
namespace {

// Sixteen sums at a time, which the compiler keeps in one vector register.
double dot(const float* a, const float* b, int64_t size) {
  constexpr int kLanes = 16;
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  double total = 0;
  for (const float sum : sums) total += sum;
  for (; i < size; ++i) total += a[i] * b[i];
  return total;
}

}  // namespace

DenseMatrix select_rows(const DenseMatrix& matrix, std::span<const int64_t> rows) {
  DenseMatrix selected{static_cast<int64_t>(rows.size()), matrix.num_columns, {}};
  selected.values.reserve(rows.size() * matrix.num_columns);
  for (const int64_t row : rows) {
    const auto values = matrix.row(row);
    selected.values.insert(selected.values.end(), values.begin(), values.end());
  }
  return selected;
}

SparseMatrix select_rows(const SparseMatrix& matrix, std::span<const int64_t> rows) {
  SparseMatrix selected;
  selected.num_rows = static_cast<int64_t>(rows.size());
  selected.num_columns = matrix.num_columns;
  for (const int64_t row : rows) {
    for (int64_t k = matrix.row_offsets[row]; k < matrix.row_offsets[row + 1]; ++k) {
      selected.columns.push_back(matrix.columns[k]);
      selected.values.push_back(matrix.values[k]);
    }
    selected.row_offsets.push_back(static_cast<int64_t>(selected.columns.size()));
  }
  return selected;
}

void multiply(const DenseMatrix& matrix, std::span<const float> x, std::span<double> out) {
  for (int64_t i = 0; i < matrix.num_rows; ++i) {
    out[i] = dot(matrix.row(i).data(), x.data(), matrix.num_columns);
  }
}

void multiply(const SparseMatrix& matrix, std::span<const float> x, std::span<double> out) {
  for (int64_t i = 0; i < matrix.num_rows; ++i) {
    double sum = 0;
    for (int64_t k = matrix.row_offsets[i]; k < matrix.row_offsets[i + 1]; ++k) {
      sum += matrix.values[k] * x[matrix.columns[k]];
    }
    out[i] = sum;
  }
}

void add_transposed_product(const DenseMatrix& matrix, std::span<const double> factors,
                            std::span<float> out) {
  for (int64_t i = 0; i < matrix.num_rows; ++i) {
    const float* row = matrix.row(i).data();
    const auto factor = static_cast<float>(factors[i]);
    for (int64_t c = 0; c < matrix.num_columns; ++c) out[c] += factor * row[c];
  }
}

void add_transposed_product(const SparseMatrix& matrix, std::span<const double> factors,
                            std::span<float> out) {
  for (int64_t i = 0; i < matrix.num_rows; ++i) {
    for (int64_t k = matrix.row_offsets[i]; k < matrix.row_offsets[i + 1]; ++k) {
      out[matrix.columns[k]] += static_cast<float>(factors[i]) * matrix.values[k];
    }
  }
}

}  // namespace sequela
