#include "sequela/encoders/ops/bf16_linear.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sequela {
namespace {

class Bf16Linear : public torch::autograd::Function<Bf16Linear> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x_TI,
                            const at::Tensor& weight_OI, const at::Tensor& bias_O, bool is_narrow) {
    const at::Tensor x = x_TI.to(at::kBFloat16), weight = weight_OI.to(at::kBFloat16);
    context->save_for_backward({x, weight});
    context->saved_data["is_x_narrow"] = x_TI.scalar_type() == at::kBFloat16;
    const at::Tensor out = at::linear(x, weight, bias_O.to(at::kBFloat16));
    return is_narrow ? out : out.to(at::kFloat);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor grad_TO = gradients[0].to(at::kBFloat16);
    const at::Tensor grad_TI = at::mm(grad_TO, saved[1]);
    const bool is_x_narrow = context->saved_data["is_x_narrow"].toBool();
    return {is_x_narrow ? grad_TI : grad_TI.to(at::kFloat),
            at::mm(grad_TO.t(), saved[0]).to(at::kFloat),
            gradients[0].sum(0, /*keepdim=*/false, at::kFloat), at::Tensor()};
  }
};

}  // namespace

at::Tensor bf16_linear(const at::Tensor& x_TI, const at::Tensor& weight_OI,
                       const at::Tensor& bias_O, at::ScalarType type) {
  return Bf16Linear::apply(x_TI, weight_OI, bias_O, type == at::kBFloat16);
}

}  // namespace sequela
