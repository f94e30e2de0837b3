#include "sequela/encoders/ops/packed_linear.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/int8_linear.h"
#include "sequela/nn/isa.h"

namespace sequela {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;

// oneDNN's linear layer with packed weights; torch exports it by name only.
at::Tensor linear_pointwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            std::optional<BertActivation> activation) {
  static const auto run =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            std::string_view, Scalars, std::optional<std::string_view>)>();
  std::string_view name = "none", algorithm = "none";
  if (activation) {
    name = *activation == BertActivation::relu ? "relu" : "gelu";
    if (*activation == BertActivation::gelu_tanh) algorithm = "tanh";
  }
  return run.call(x, weight, bias, name, Scalars(), algorithm);
}

at::Tensor pack(const at::Tensor& weight_OI) {
  static const auto run = c10::Dispatcher::singleton()
                              .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                              .typed<at::Tensor(const at::Tensor&, std::optional<int64_t>)>();
  return run.call(weight_OI, kPackedRows);
}

at::Tensor activated(at::Tensor x, std::optional<BertActivation> activation) {
  if (!activation) return x;
  if (*activation == BertActivation::relu) return at::relu_(x);
  return at::gelu_(x, *activation == BertActivation::gelu_tanh ? "tanh" : "none");
}

}  // namespace

struct PackedLinear::Weights {
  at::Tensor packed;    // oneDNN's layout
  at::Tensor plain_OI;  // float32, or bfloat16 to be widened, for nn/gemm.h
  at::Tensor bias_O;
  std::optional<Int8Linear> int8;
};

at::ScalarType PackedLinear::type(BertPrecision precision, at::Device device) {
  const bool has_products = !device.is_cpu() || has_bf16_products();
  return precision == BertPrecision::bfloat16 && has_products ? at::kBFloat16 : at::kFloat;
}

PackedLinear::PackedLinear(const at::Tensor& weight_OI, const at::Tensor& bias_O,
                           BertPrecision precision)
    : weights_(std::make_unique<Weights>()) {
  if (precision == BertPrecision::int8) {
    if (!weight_OI.is_cpu()) throw ConfigError("precision", "int8", "fp32 or bf16 on a GPU");
    weights_->int8.emplace(weight_OI, bias_O);
    return;
  }
  const at::ScalarType product_type = type(precision, weight_OI.device());
  weights_->bias_O = bias_O.detach().to(product_type);
  if (weight_OI.is_cpu() && has_onednn_products() &&
      (precision == BertPrecision::float32 || has_bf16_products())) {
    weights_->packed = pack(weight_OI.detach().to(product_type));
  } else {
    const bool is_stored_narrow = precision == BertPrecision::bfloat16;
    weights_->plain_OI = weight_OI.detach().to(is_stored_narrow ? at::kBFloat16 : at::kFloat);
  }
}

PackedLinear::~PackedLinear() = default;
PackedLinear::PackedLinear(PackedLinear&&) noexcept = default;

at::Tensor PackedLinear::forward(const at::Tensor& x_TI,
                                 std::optional<BertActivation> activation) const {
  if (weights_->int8) return activated(weights_->int8->forward(x_TI), activation);
  if (weights_->packed.defined())
    return linear_pointwise(x_TI, weights_->packed, weights_->bias_O, activation);
  const at::Tensor out = multiplied(x_TI, weights_->plain_OI.to(x_TI.scalar_type()).t());
  add_bias(out, weights_->bias_O.to(at::kFloat));
  return activated(out, activation);
}

}  // namespace sequela
