#pragma once

// Bodies of few_rows_kernels.h; included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/few_rows_kernels.h"
#include "sequela/nn/kernels/simd.h"

namespace sequela {
namespace {

// Sums held in registers at a time: kOutputs x kRows vectors of 16.
constexpr int kOutputs = 4;
#if defined(__AVX512F__)
constexpr int kRows = 4;
#else
constexpr int kRows = 1;
#endif

template <int num_outputs, int num_rows, class Weight>
SEQUELA_INLINE void add_products(const FewRows& rows, const float* x, const Weight* weight,
                                 int64_t count, Floats (&sums)[kRows][kOutputs]) {
  Floats w[num_outputs];
  for (int o = 0; o < num_outputs; ++o) {
    const Weight* from = weight + o * rows.num_inputs;
    w[o] = count == kLanes ? load(from) : load_part(from, count);
  }
  for (int r = 0; r < num_rows; ++r) {
    const float* from = x + r * rows.x_stride;
    const Floats value = count == kLanes ? load(from) : load_part(from, count);
    for (int o = 0; o < num_outputs; ++o) sums[r][o] += value * w[o];
  }
}

template <int num_outputs, int num_rows, class Weight>
void block(const FewRows& rows, int64_t first_row, int64_t output) {
  const float* x = rows.x + first_row * rows.x_stride;
  const Weight* weight = static_cast<const Weight*>(rows.weight) + output * rows.num_inputs;
  Floats sums[kRows][kOutputs] = {};
  const int64_t whole = rows.num_inputs / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) {
    // The block after next: the processor's own prefetching stops at each page of 4 KB.
    for (int o = 0; o < num_outputs; ++o)
      __builtin_prefetch(weight + (2 * kOutputs + o) * rows.num_inputs + i);
    add_products<num_outputs, num_rows>(rows, x + i, weight + i, kLanes, sums);
  }
  if (whole < rows.num_inputs) {
    add_products<num_outputs, num_rows>(rows, x + whole, weight + whole, rows.num_inputs - whole,
                                        sums);
  }
  for (int r = 0; r < num_rows; ++r) {
    float* out = rows.out + (first_row + r) * rows.out_stride + output;
    for (int o = 0; o < num_outputs; ++o) out[o] = sum(sums[r][o]);
  }
}

template <int num_outputs, class Weight>
void all_rows(const FewRows& rows, int64_t output) {
  int64_t r = 0;
  for (; r + kRows <= rows.num_rows; r += kRows) block<num_outputs, kRows, Weight>(rows, r, output);
  for (; r < rows.num_rows; ++r) block<num_outputs, 1, Weight>(rows, r, output);
}

template <class Weight>
void product(const FewRows& rows, int64_t begin, int64_t end) {
  int64_t o = begin;
  for (; o + kOutputs <= end; o += kOutputs) all_rows<kOutputs, Weight>(rows, o);
  for (; o < end; ++o) all_rows<1, Weight>(rows, o);
}

constexpr FewRowsOps few_rows_ops() {
  return {{product<float>, product<BFloat16>}};
}

}  // namespace
}  // namespace sequela
