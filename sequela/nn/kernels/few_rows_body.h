#pragma once

// Bodies of few_rows_kernels.h; included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/few_rows_kernels.h"
#include "sequela/nn/kernels/simd.h"

namespace sequela {
namespace {

// Sums held in registers at a time beyond one row: kOutputs x kRows pairs of vectors.
#if defined(__AVX512F__)
constexpr int kOutputs = 4;
#else
constexpr int kOutputs = 1;
#endif
constexpr int kRows = 2;

// A block of 32 weights.
struct Pair {
  Floats first, second;
};

SEQUELA_INLINE Pair load_pair(const float* from) {
  return {load(from), load(from + kLanes)};
}

SEQUELA_INLINE Pair load_pair(const BFloat16* from) {
  const Words words = load_lanes<Words>(from);
  return {as_floats(words << 16), as_floats(words & 0xffff0000)};
}

// The first `count` < 32 weights, the others 0.
template <class Weight>
SEQUELA_INLINE Pair load_part_of_pair(const Weight* from, int64_t count) {
  Weight buffer[kFewRowsBlock] = {};
  std::memcpy(buffer, from, count * sizeof(Weight));
  return load_pair(buffer);
}

// Where a block's value i lies in the block as the product reads it.
template <class Weight>
SEQUELA_INLINE int64_t place_in_block(int64_t i) {
  return sizeof(Weight) == sizeof(float) ? i : i / 2 + i % 2 * kLanes;
}

int64_t padded(int64_t num_inputs) {
  return (num_inputs + kFewRowsBlock - 1) / kFewRowsBlock * kFewRowsBlock;
}

template <class Weight>
void arrange(const FewRows& rows, float* to) {
  const int64_t size = padded(rows.num_inputs);
  for (int64_t r = 0; r < rows.num_rows; ++r, to += size) {
    const float* x = rows.x + r * rows.x_stride;
    for (int64_t first = 0; first < size; first += kFewRowsBlock) {
      for (int64_t i = 0; i < kFewRowsBlock; ++i) {
        to[first + place_in_block<Weight>(i)] = first + i < rows.num_inputs ? x[first + i] : 0.0f;
      }
    }
  }
}

template <int num_outputs, int num_rows>
SEQUELA_INLINE void add_products(const Pair (&weights)[num_outputs], const float* x,
                                 int64_t x_stride, Pair (&sums)[num_rows][num_outputs]) {
  for (int r = 0; r < num_rows; ++r) {
    const Pair values = load_pair(x + r * x_stride);
    for (int o = 0; o < num_outputs; ++o) {
      sums[r][o].first += values.first * weights[o].first;
      sums[r][o].second += values.second * weights[o].second;
    }
  }
}

template <int num_outputs, int num_rows, class Weight>
SEQUELA_INLINE void products(const FewRows& rows, int64_t first_row, int64_t output) {
  const int64_t size = rows.num_inputs;
  const float* x = rows.x + first_row * rows.x_stride;
  const Weight* weight = static_cast<const Weight*>(rows.weight) + output * size;
  const Weight* next = weight + num_outputs * size;
  Pair weights[num_outputs], sums[num_rows][num_outputs] = {};
  const int64_t whole = size / kFewRowsBlock * kFewRowsBlock;
  for (int64_t i = 0; i < whole; i += kFewRowsBlock) {
    for (int o = 0; o < num_outputs; ++o) {
      weights[o] = load_pair(weight + o * size + i);
      // Several weight rows side by side are no stream that the processor reads ahead by itself.
      if (num_outputs > 1 && first_row == 0)
        __builtin_prefetch(next + i * num_outputs + o * kFewRowsBlock);
    }
    add_products(weights, x + i, rows.x_stride, sums);
  }
  if (whole < size) {
    for (int o = 0; o < num_outputs; ++o)
      weights[o] = load_part_of_pair(weight + o * size + whole, size - whole);
    add_products(weights, x + whole, rows.x_stride, sums);
  }
  for (int r = 0; r < num_rows; ++r) {
    float* out = rows.out + (first_row + r) * rows.out_stride + output;
    for (int o = 0; o < num_outputs; ++o) out[o] = sum(sums[r][o].first + sums[r][o].second);
  }
}

template <int num_outputs, class Weight>
void all_rows(const FewRows& rows, int64_t output) {
  int64_t r = 0;
  for (; r + kRows <= rows.num_rows; r += kRows)
    products<num_outputs, kRows, Weight>(rows, r, output);
  for (; r < rows.num_rows; ++r) products<num_outputs, 1, Weight>(rows, r, output);
}

template <class Weight>
void product(const FewRows& rows, int64_t begin, int64_t end) {
  int64_t o = begin;
  for (; rows.num_rows > 1 && o + kOutputs <= end; o += kOutputs)
    all_rows<kOutputs, Weight>(rows, o);
  for (; o < end; ++o) all_rows<1, Weight>(rows, o);
}

constexpr FewRowsOps few_rows_ops() {
  return {{arrange<float>, arrange<BFloat16>}, {product<float>, product<BFloat16>}};
}

}  // namespace
}  // namespace sequela
