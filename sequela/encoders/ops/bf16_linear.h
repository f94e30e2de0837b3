#pragma once

#include <ATen/core/Tensor.h>

namespace sequela {

// x @ weight^T + bias, differentiable, with the three matrix products in bfloat16. x and the result
// are float32 or bfloat16 each (`type` is the result's); weights, bias and their gradients float32.
// What the backward pass needs of x is kept in bfloat16.
at::Tensor bf16_linear(const at::Tensor& x_TI, const at::Tensor& weight_OI,
                       const at::Tensor& bias_O, at::ScalarType type);

}  // namespace sequela
