#pragma once

#include <ATen/core/Tensor.h>

namespace sequela {

// Means of rows over spans of tokens, each within one sequence of a batch.
//
//   x_TH       [T, H], of any floating type, on any device
//   lengths_S  int32, on the host: tokens of each sequence
//   firsts_L   int64, the first token of each span; on x_TH's device
//   lasts_L    int64, its last token, which counts; no smaller than the first
//
// Returns float32 [L, H]. The sums are differences of running sums in float64, within a sequence:
// cost O(T H), whatever the spans' lengths, and a mean depends on nothing but its own sequence.
at::Tensor span_means(const at::Tensor& x_TH, const at::Tensor& lengths_S,
                      const at::Tensor& firsts_L, const at::Tensor& lasts_L);

}  // namespace sequela
