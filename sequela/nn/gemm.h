#pragma once

#include <ATen/core/Tensor.h>

namespace sequela {

// Matrix products of linear layers, into buffers that exist (a fresh 100 MB result costs as much as
// the product).
//
//   T = rows, I = inputs, O = outputs. weight_OI is laid out as in femr's files.
//
// All of one type, float32 or bfloat16; views with unit column stride are taken as they are.

// Keeps the memory that products of ever new sizes leave behind under some 60 MB. Call before the
// first product: the limits (environment variables, left alone where set) are read then.
void bound_product_caches();

// The same, and sends float32 products on the CPU to the fastest library whose result is
// float32-exact.
void configure_gemm();

// out = x @ weight^T
void linear_forward(const at::Tensor& x_TI, const at::Tensor& weight_OI, at::Tensor out_TO);

// grad_x = grad_out @ weight
void linear_backward_input(const at::Tensor& grad_out_TO, const at::Tensor& weight_OI,
                           at::Tensor grad_x_TI);

// grad_weight (float32) += grad_out^T @ x. `scratch` holds at least O * I values of the inputs'
// type.
void linear_backward_weight(const at::Tensor& grad_out_TO, const at::Tensor& x_TI,
                            const at::Tensor& scratch, const at::Tensor& grad_weight_OI);

}  // namespace sequela
