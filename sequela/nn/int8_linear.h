#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/nn/isa.h"

namespace sequela {

// A linear layer in 8 bits: y = x @ weight^T + bias, for inference.
//
//   T = rows, I = inputs, O = outputs
//
// Weights: round(w / w_scale) in [-127, 127], one scale per output. Rows of x: round(x / x_scale)
// in [-127, 127], one scale per row, at run time; a row with a value that is not finite gives NaN.
// Sums of products are exact in int32, so that every CPU computes the same: by oneDNN's small
// products where it has instructions for bytes (AVX-512 VNNI, AMX), by own kernels elsewhere
// (kernels/int8_kernels.h). Which, is settled when the layer is made.
//
// Layout of the packed weights: [O / P][I / 4][P][4] bytes, P = 64 (oneDNN) or kInt8Panel, outputs
// and inputs padded with 0.
class Int8Linear {
 public:
  // weight_OI, bias_O: any float type, on the CPU.
  Int8Linear(const at::Tensor& weight_OI, const at::Tensor& bias_O);

  // float32 in, float32 out.
  at::Tensor forward(const at::Tensor& x_TI) const;

 private:
  struct Quantized;
  Quantized quantize(const at::Tensor& x_TI) const;

  const Int8Products products_;
  int64_t inputs_, outputs_, padded_inputs_;
  at::Tensor packed_;   // int8
  at::Tensor scales_;   // float32, w_scale (padded)
  at::Tensor offsets_;  // int32, what x's format adds to a sum (padded)
  at::Tensor biases_;   // float32 (padded)
};

}  // namespace sequela
