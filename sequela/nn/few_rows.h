#pragma once

#include <ATen/core/Tensor.h>

namespace sequela {

// out = x @ weight^T for the few rows of a live step, where a library's matrix product would not
// use the whole memory bandwidth. Float32 rows, also beside bfloat16 weights.
//
//   T = rows, I = inputs, O = outputs
//
//   x_TI, out_TO  float32, any row stride, unit column stride
//   weight_OI     float32 or bfloat16, contiguous
//
// Tiling: a single row of x takes one weight row after another, so that the weights come as one
// stream, which the processor reads ahead by itself; prefetching, or several streams, are slower.
// More rows of x go two at a time against four weight rows, the next four prefetched in order of
// memory. Blocks of outputs are dealt to threads. Sums are float32, the same for a row whatever
// rows are beside it. Cost: reading the weights once at the memory bandwidth for up to two rows,
// then the multiplications; from about kFewRows rows on linear_forward is faster.
//
// Throws std::invalid_argument for wrong shapes or types. Reference: kernels/few_rows_reference.cc.
inline constexpr int64_t kFewRows = 8;

void linear_few_rows(const at::Tensor& x_TI, const at::Tensor& weight_OI, const at::Tensor& out_TO);

// An uninitialised tensor on the CPU in memory for which the system is asked for huge pages:
// weights that are read once per step then come 1.5 times as fast.
at::Tensor empty_on_huge_pages(at::IntArrayRef shape, at::ScalarType type);

}  // namespace sequela
