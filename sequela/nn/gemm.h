#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sequela {

// Matrix products, into buffers that exist (a fresh 100 MB result costs as much as the product).
//
// All operands have one type, float32 or bfloat16. Views with unit column stride and their
// transposes are not copied. Sums are float32. On a CPU without products of bfloat16 (isa.h) the
// values are widened, blocks of rows at a time, and multiplied in float32; the result is rounded
// once, as everywhere. No process-wide setting of torch is changed. (If a user of Python allowed
// torch less than float32 precision, oneDNN uses that freedom.)

// out = a @ b
void multiply(const at::Tensor& a_MK, const at::Tensor& b_KN, const at::Tensor& out_MN);
// The same, into a new tensor.
at::Tensor multiplied(const at::Tensor& a_MK, const at::Tensor& b_KN);
// out += a @ b, float32.
void multiply_add(const at::Tensor& a_MK, const at::Tensor& b_KN, const at::Tensor& out_MN);
// out[i] = a[i] @ b[i], float32.
void multiply_batches(const at::Tensor& a_BMK, const at::Tensor& b_BKN, const at::Tensor& out_BMN);

// Linear layers: T = rows, I = inputs, O = outputs. weight_OI is laid out as in femr's files.

// out = x @ weight^T
void linear_forward(const at::Tensor& x_TI, const at::Tensor& weight_OI, const at::Tensor& out_TO);

// grad_x = grad_out @ weight
void linear_backward_input(const at::Tensor& grad_out_TO, const at::Tensor& weight_OI,
                           const at::Tensor& grad_x_TI);

// grad_weight (float32) += grad_out^T @ x. `scratch` holds at least O * I values of the inputs'
// type.
void linear_backward_weight(const at::Tensor& grad_out_TO, const at::Tensor& x_TI,
                            const at::Tensor& scratch, const at::Tensor& grad_weight_OI);

// How many rows n rows are best computed as: the next multiple of 128. oneDNN compiles a product
// for each shape anew, which with AMX costs a quarter of a small model's step; so callers whose
// number of rows differs from batch to batch add rows of zeros.
constexpr int64_t padded_rows(int64_t n) {
  return (n + 127) / 128 * 128;
}

// Bounds the memory that products of ever new sizes leave behind to some 140 MB. Sets environment
// variables (those already set stay) that the libraries read at their first product. For the main
// function of a program; a library leaves the environment alone.
void bound_product_caches();

}  // namespace sequela
