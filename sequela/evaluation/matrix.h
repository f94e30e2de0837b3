#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sequela {

// Row-major float32 [num_rows, num_columns].
struct DenseMatrix {
  int64_t num_rows = 0;
  int64_t num_columns = 0;
  std::vector<float> values;

  std::span<const float> row(int64_t i) const {
    return {values.data() + i * num_columns, static_cast<size_t>(num_columns)};
  }
};

// Compressed rows: row i holds values[k] at columns[k] for k in [row_offsets[i], row_offsets[i +
// 1]).
struct SparseMatrix {
  int64_t num_rows = 0;
  int64_t num_columns = 0;
  std::vector<int64_t> row_offsets = {0};
  std::vector<int32_t> columns;
  std::vector<float> values;
};

// The given rows, in the given order.
DenseMatrix select_rows(const DenseMatrix& matrix, std::span<const int64_t> rows);
SparseMatrix select_rows(const SparseMatrix& matrix, std::span<const int64_t> rows);

// out[i] = row i times x.
void multiply(const DenseMatrix& matrix, std::span<const float> x, std::span<double> out);
void multiply(const SparseMatrix& matrix, std::span<const float> x, std::span<double> out);

// out[c] += sum over rows of factors[i] * matrix[i, c].
void add_transposed_product(const DenseMatrix& matrix, std::span<const double> factors,
                            std::span<float> out);
void add_transposed_product(const SparseMatrix& matrix, std::span<const double> factors,
                            std::span<float> out);

}  // namespace sequela
