#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "sequela/encoders/bert/bert_config.h"

namespace sequela {

// A linear layer in 8 bits: y = x @ weight^T + bias.
//
//   T = rows, I = inputs, O = outputs
//
// Weights: round(w / w_scale) in [-127, 127], one scale per output. Rows of x: round(x / x_scale) +
// 128 in [1, 255], one scale per row, at run time. The products' sums are exact in int32.
//
// Layout of the packed weights: [O / 64][I / 4][64][4] bytes, outputs and inputs padded with 0.
class Int8Linear {
 public:
  Int8Linear(const at::Tensor& weight_OI, const at::Tensor& bias_O);

  // float32 in, float32 out.
  at::Tensor forward(const at::Tensor& x_TI, std::optional<BertActivation> activation) const;

 private:
  int64_t inputs_, outputs_, padded_inputs_;
  at::Tensor packed_;  // int8
  at::Tensor scale_;   // float32, w_scale (padded to 64)
  at::Tensor offset_;  // int32, 128 * sum of the row's weights (padded)
  at::Tensor bias_;    // float32 (padded)
};

}  // namespace sequela
