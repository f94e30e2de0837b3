#pragma once

// The product of bytes in registers of 32 bytes: four rows against the 16 columns of a panel at a
// time, sums in int32. Included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/int8_rows_body.h"

namespace sequela {
namespace {

constexpr int kRowsTogether = 4;
constexpr int kPanelVectors = 2;  // of eight columns, four inputs each

SEQUELA_INLINE __m256i four_bytes(const uint8_t* from) {
  int32_t bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  return _mm256_set1_epi32(bytes);
}

// `num_rows` rows from `x` on. Dot: how to add the products of four inputs.
template <class Dot, int num_rows>
SEQUELA_INLINE void multiply_rows(const Int8Rows& rows, const Int8Columns& columns, int64_t row,
                                  float* out, int64_t out_stride) {
  const uint8_t* x = rows.bytes + row * rows.stride;
  __m256i sums[num_rows][kPanelVectors];
#pragma GCC unroll 8
  for (auto& row_sums : sums) row_sums[0] = row_sums[1] = _mm256_setzero_si256();
  for (int64_t i = 0; i < rows.inputs; i += 4) {
    const auto* weights = reinterpret_cast<const __m256i*>(columns.packed + i * kInt8Panel);
    const __m256i first = _mm256_loadu_si256(weights), second = _mm256_loadu_si256(weights + 1);
#pragma GCC unroll 8
    for (int r = 0; r < num_rows; ++r) {
      const Dot dot(x + r * rows.stride + i, rows.inputs);
      sums[r][0] = dot.add(sums[r][0], first);
      sums[r][1] = dot.add(sums[r][1], second);
    }
  }
  for (int r = 0; r < num_rows; ++r) {
    int32_t of_row[kInt8Panel];
    std::memcpy(of_row, sums[r], sizeof(of_row));
    finish(of_row, rows.scales[row + r], columns, out + (row + r) * out_stride);
  }
}

template <class Dot>
void multiply_bytes(const Int8Rows& rows, const Int8Columns& columns, float* out,
                    int64_t out_stride) {
  int64_t row = 0;
  for (; row + kRowsTogether <= rows.num_rows; row += kRowsTogether)
    multiply_rows<Dot, kRowsTogether>(rows, columns, row, out, out_stride);
  for (; row < rows.num_rows; ++row) multiply_rows<Dot, 1>(rows, columns, row, out, out_stride);
}

}  // namespace
}  // namespace sequela
