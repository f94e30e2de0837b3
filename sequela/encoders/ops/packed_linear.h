#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/bert/bert_model.h"

namespace sequela {

// A linear layer whose weights were laid out once for the matrix library, for inference.
//
//   T = rows, I = inputs, O = outputs
//
// float32 and bfloat16: the products of oneDNN with bias and activation fused. int8: weights
// rounded to 8 bits with one scale per output, rows of x with one scale and offset per row at run
// time; sums are exact in int32.
// Rows that oneDNN chooses its layout for; other numbers of rows take the same layout.
inline constexpr int64_t kPackedRows = 2'048;

class PackedLinear {
 public:
  PackedLinear(const at::Tensor& weight_OI, const at::Tensor& bias_O, BertPrecision precision);
  ~PackedLinear();
  PackedLinear(PackedLinear&&) noexcept;

  // x: float32 (float32 and int8) or bfloat16, contiguous rows; the result likewise.
  at::Tensor forward(const at::Tensor& x_TI, std::optional<BertActivation> activation) const;

 private:
  struct Weights;
  std::unique_ptr<Weights> weights_;
};

}  // namespace sequela
