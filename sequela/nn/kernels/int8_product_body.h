#pragma once

// The product of bytes in registers of 32 bytes: four rows against the 16 columns of a panel at a
// time, sums in int32. Included by the files of one instruction set only (see simd.h).

#include <algorithm>

#include "sequela/nn/kernels/int8_rows_body.h"

namespace sequela {
namespace {

constexpr int64_t kRowsTogether = 4;

SEQUELA_INLINE __m256i four_bytes(const uint8_t* from) {
  int32_t bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  return _mm256_set1_epi32(bytes);
}

// A row's sums, eight columns in each register. An array of them would be kept in memory.
struct RowSums {
  __m256i first = _mm256_setzero_si256(), second = _mm256_setzero_si256();

  template <class Dot>
  SEQUELA_INLINE void add(const Dot& dot, __m256i first_weights, __m256i second_weights) {
    first = dot.add(first, first_weights);
    second = dot.add(second, second_weights);
  }

  SEQUELA_INLINE void store(int32_t* to) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), first);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8), second);
  }
};

// Rows x[0] to x[3]. Dot: how to add the products of four inputs.
template <class Dot>
SEQUELA_INLINE void multiply_rows(const uint8_t* const x[kRowsTogether], int64_t inputs,
                                  const int8_t* packed, int32_t sums[kRowsTogether][kInt8Panel]) {
  const uint8_t *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
  RowSums sums0, sums1, sums2, sums3;
  for (int64_t i = 0; i < inputs; i += 4) {
    const auto* weights = reinterpret_cast<const __m256i*>(packed + i * kInt8Panel);
    const __m256i first = _mm256_loadu_si256(weights), second = _mm256_loadu_si256(weights + 1);
    sums0.add(Dot(x0 + i, inputs), first, second);
    sums1.add(Dot(x1 + i, inputs), first, second);
    sums2.add(Dot(x2 + i, inputs), first, second);
    sums3.add(Dot(x3 + i, inputs), first, second);
  }
  sums0.store(sums[0]);
  sums1.store(sums[1]);
  sums2.store(sums[2]);
  sums3.store(sums[3]);
}

template <class Dot>
void multiply_bytes(const Int8Rows& rows, const Int8Columns& columns, float* out,
                    int64_t out_stride) {
  for (int64_t row = 0; row < rows.num_rows; row += kRowsTogether) {
    const int64_t count = std::min(kRowsTogether, rows.num_rows - row);
    const uint8_t* x[kRowsTogether];
    for (int64_t r = 0; r < kRowsTogether; ++r)
      x[r] = rows.bytes + (row + std::min(r, count - 1)) * rows.stride;
    int32_t sums[kRowsTogether][kInt8Panel];
    multiply_rows<Dot>(x, rows.inputs, columns.packed, sums);
    for (int64_t r = 0; r < count; ++r)
      finish(sums[r], rows.scales[row + r], columns, out + (row + r) * out_stride);
  }
}

}  // namespace
}  // namespace sequela
