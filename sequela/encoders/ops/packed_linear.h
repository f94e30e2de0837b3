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
// float32 and bfloat16: oneDNN with bias and activation fused, where the CPU is one that oneDNN is
// fastest on (isa.h) and has the products. Elsewhere, and on a GPU, the products of nn/gemm.h (on
// AVX2 alone a sixth faster than oneDNN's); bfloat16 weights are stored so and widened at run time.
// int8: nn/int8_linear.h.
//
// Rows that oneDNN chooses its layout for; other numbers of rows take the same layout.
inline constexpr int64_t kPackedRows = 2'048;

class PackedLinear {
 public:
  PackedLinear(const at::Tensor& weight_OI, const at::Tensor& bias_O, BertPrecision precision);
  ~PackedLinear();
  PackedLinear(PackedLinear&&) noexcept;

  // x of the type that type() says, contiguous rows; the result likewise.
  at::Tensor forward(const at::Tensor& x_TI, std::optional<BertActivation> activation) const;

  // What a layer of this precision takes on a device: bfloat16 where it has such products and the
  // precision asks for them, else float32.
  static at::ScalarType type(BertPrecision precision, at::Device device);

 private:
  struct Weights;
  std::unique_ptr<Weights> weights_;
};

}  // namespace sequela
