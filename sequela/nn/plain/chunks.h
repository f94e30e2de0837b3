#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace sequela {

// The type that the plain way computes in.
inline at::Tensor widened(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

// An input whose gradient autograd collects in grad().
inline at::Tensor recorded(const at::Tensor& x) {
  return widened(x.detach()).detach().requires_grad_(true);
}

// Rows [first, first + count); undefined stays so.
inline at::Tensor rows_of(const at::Tensor& x, int64_t first, int64_t count) {
  return x.defined() ? x.narrow(0, first, count) : x;
}

// total += what autograd collected; nothing if no chunk was recorded.
inline void add_gradient(const at::Tensor& total, const at::Tensor& leaf) {
  if (total.defined() && leaf.grad().defined()) total.add_(leaf.grad());
}

// work(first, count) for chunks of at most `step` rows.
template <class Work>
void for_chunks(int64_t rows, int64_t step, Work work) {
  for (int64_t first = 0; first < rows; first += step) work(first, std::min(step, rows - first));
}

}  // namespace sequela
