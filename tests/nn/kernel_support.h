#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/isa.h"
#include "tests/support/threads.h"

namespace sequela {

// The largest difference, as a share of the largest expected value.
inline double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  if (expected.numel() == 0) return 0;
  const at::Tensor wanted = expected.detach().to(at::kDouble);
  const double largest = wanted.abs().max().item<double>();
  const double difference = (actual.detach().to(at::kDouble) - wanted).abs().max().item<double>();
  return difference / std::max(largest, 1e-30);
}

// Bounds for results computed from inputs of this type with float32 sums.
inline double tolerance(at::ScalarType type) {
  return type == at::kFloat ? 2e-5 : 2e-2;
}

// Values that bfloat16 holds exactly, so that both types start from the same inputs.
inline at::Tensor random_values(at::IntArrayRef shape, double scale, at::ScalarType type) {
  return (at::randn(shape) * scale).to(at::kBFloat16).to(type);
}

// A copy with a wider row stride, as a column slice of a larger buffer.
inline at::Tensor in_wider_rows(const at::Tensor& x, int64_t extra_columns) {
  at::Tensor flat = x.flatten(1);
  at::Tensor buffer = at::full({flat.size(0), flat.size(1) + extra_columns}, 7, x.options());
  at::Tensor view = buffer.narrow(1, extra_columns / 2, flat.size(1));
  view.copy_(flat);
  return x.dim() == 3 ? view.unflatten(1, {x.size(1), x.size(2)}) : view;
}

// A double leaf that records gradients.
inline at::Tensor leaf(const at::Tensor& x) {
  return x.detach().to(at::kDouble).contiguous().requires_grad_(true);
}

}  // namespace sequela
