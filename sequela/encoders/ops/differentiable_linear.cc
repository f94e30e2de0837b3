#include "sequela/encoders/ops/differentiable_linear.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "sequela/nn/elementwise.h"
#include "sequela/nn/gemm.h"

namespace sequela {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class Linear : public torch::autograd::Function<Linear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_TI,
                            const at::Tensor& weight_OI, const at::Tensor& bias_O,
                            at::ScalarType product_type, at::ScalarType result_type) {
    const at::Tensor x = x_TI.to(product_type), weight = weight_OI.to(product_type);
    context->save_for_backward({x, weight});
    context->saved_data["x_type"] = x_TI.scalar_type();
    const at::Tensor out = multiplied(x, weight.t());
    add_bias(out, bias_O);
    return out.to(result_type);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const at::Tensor grad_TO = gradients[0].to(x.scalar_type()).contiguous();
    variable_list grads(5);
    if (context->needs_input_grad(0)) {
      grads[0] = multiplied(grad_TO, weight).to(context->saved_data["x_type"].toScalarType());
    }
    if (context->needs_input_grad(1)) grads[1] = multiplied(grad_TO.t(), x).to(at::kFloat);
    if (context->needs_input_grad(2)) grads[2] = gradients[0].sum(0, /*keepdim=*/false, at::kFloat);
    return grads;
  }
};

}  // namespace

at::Tensor differentiable_linear(const at::Tensor& x_TI, const at::Tensor& weight_OI,
                                 const at::Tensor& bias_O, LinearTypes types) {
  if (weight_OI.scalar_type() == at::kDouble) return at::linear(x_TI, weight_OI, bias_O);
  const at::Tensor rows = x_TI.dim() == 2 ? x_TI : x_TI.flatten(0, -2);
  const at::Tensor out = Linear::apply(rows, weight_OI, bias_O, types.products, types.result);
  if (x_TI.dim() == 2) return out;
  std::vector<int64_t> sizes = x_TI.sizes().vec();
  sizes.back() = weight_OI.size(0);
  return out.view(sizes);
}

}  // namespace sequela
