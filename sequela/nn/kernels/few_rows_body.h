#pragma once

// Bodies of few_rows_kernels.h; included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/few_rows_kernels.h"
#include "sequela/nn/kernels/simd.h"

namespace sequela {
namespace {

// Rows of x against which a weight is used at a time; their sums are held in registers.
#if defined(__AVX512F__)
constexpr int kRows = 8;
#else
constexpr int kRows = 2;
#endif

// A block of 32 weights.
struct Pair {
  Floats first, second;
};

SEQUELA_INLINE Pair load_pair(const float* from) {
  return {load(from), load(from + kLanes)};
}

SEQUELA_INLINE Pair load_pair(const BFloat16* from) {
  Words words;
  std::memcpy(&words, from, sizeof(words));
  return {reinterpret_cast<Floats>(words << 16), reinterpret_cast<Floats>(words & 0xffff0000)};
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

template <int num_rows>
SEQUELA_INLINE void add_products(const Pair& weight, const float* x, int64_t x_stride,
                                 Pair (&sums)[num_rows]) {
  for (int r = 0; r < num_rows; ++r) {
    sums[r].first += load(x + r * x_stride) * weight.first;
    sums[r].second += load(x + r * x_stride + kLanes) * weight.second;
  }
}

template <int num_rows, class Weight>
SEQUELA_INLINE void products(const FewRows& rows, int64_t first_row, int64_t output) {
  const float* x = rows.x + first_row * rows.x_stride;
  const Weight* weight = static_cast<const Weight*>(rows.weight) + output * rows.num_inputs;
  Pair sums[num_rows] = {};
  const int64_t whole = rows.num_inputs / kFewRowsBlock * kFewRowsBlock;
  for (int64_t i = 0; i < whole; i += kFewRowsBlock)
    add_products(load_pair(weight + i), x + i, rows.x_stride, sums);
  if (whole < rows.num_inputs) {
    add_products(load_part_of_pair(weight + whole, rows.num_inputs - whole), x + whole,
                 rows.x_stride, sums);
  }
  for (int r = 0; r < num_rows; ++r)
    rows.out[(first_row + r) * rows.out_stride + output] = sum(sums[r].first + sums[r].second);
}

// The outputs in [begin, end) of `num_rows` rows, weights in the order of memory.
template <int num_rows, class Weight>
void all_outputs(const FewRows& rows, int64_t first_row, int64_t begin, int64_t end) {
  for (int64_t o = begin; o < end; ++o) products<num_rows, Weight>(rows, first_row, o);
}

// As all_outputs, for `num_rows` <= most.
template <int most, class Weight>
void some_rows(const FewRows& rows, int64_t first_row, int64_t num_rows, int64_t begin,
               int64_t end) {
  if (num_rows == most) return all_outputs<most, Weight>(rows, first_row, begin, end);
  if constexpr (most > 1) some_rows<most - 1, Weight>(rows, first_row, num_rows, begin, end);
}

template <class Weight>
void product(const FewRows& rows, int64_t begin, int64_t end) {
  for (int64_t r = 0; r < rows.num_rows; r += kRows) {
    const int64_t num_rows = rows.num_rows - r < kRows ? rows.num_rows - r : kRows;
    some_rows<kRows, Weight>(rows, r, num_rows, begin, end);
  }
}

constexpr FewRowsOps few_rows_ops() {
  return {{arrange<float>, arrange<BFloat16>}, {product<float>, product<BFloat16>}};
}

}  // namespace
}  // namespace sequela
