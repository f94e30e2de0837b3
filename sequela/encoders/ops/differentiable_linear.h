#pragma once

#include <ATen/core/Tensor.h>

namespace sequela {

// The types, float32 or bfloat16, that a linear layer computes in.
struct LinearTypes {
  at::ScalarType products = at::kFloat;  // also of what the backward pass keeps of x and weight
  at::ScalarType result = at::kFloat;
};

// x @ weight^T + bias, differentiable, with its three matrix products by nn/gemm.h. x: any leading
// sizes, float32 or bfloat16; weight, bias and their gradients float32. (All in float64, as checks
// of gradients have them, stay so.)
at::Tensor differentiable_linear(const at::Tensor& x_TI, const at::Tensor& weight_OI,
                                 const at::Tensor& bias_O, LinearTypes types);

}  // namespace sequela
