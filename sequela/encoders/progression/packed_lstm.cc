// The LSTM of torch.nn (gates i, f, g, o) on packed sequences, with its backward pass written out:
//
//   gates = x W_ih^T + h' W_hh^T + b          i, f, o = sigmoid, g = tanh
//   c = f c' + i g                            h = o tanh(c)
//
// Products with x run over all tokens at once, those with the state step by step. Kept for the
// backward pass: x, the activated gates, c and h.
#include "sequela/encoders/progression/packed_lstm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <numeric>

#include "sequela/core/error.h"
#include "sequela/nn/gemm.h"

namespace sequela {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor to_product_type(const at::Tensor& x, bool use_bf16) {
  return use_bf16 ? x.to(at::kBFloat16) : x;
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b, bool use_bf16) {
  return multiplied(to_product_type(a, use_bf16), to_product_type(b, use_bf16)).to(a.scalar_type());
}

// sum += a @ b; b has the type of the products.
void add_product(const at::Tensor& a, const at::Tensor& b, at::Tensor sum) {
  if (b.scalar_type() == a.scalar_type()) return multiply_add(a, b, sum);
  sum.add_(multiplied(a.to(b.scalar_type()), b));
}

// The rows of one step and where the state before it stands.
struct Step {
  int64_t start, size, previous;  // previous: start of the step before
};

std::vector<Step> to_steps(at::IntArrayRef step_sizes) {
  std::vector<Step> steps;
  int64_t start = 0;
  for (const int64_t size : step_sizes) {
    steps.push_back({start, size, steps.empty() ? -1 : steps.back().start});
    start += size;
  }
  return steps;
}

// Gates of one step, in place from their sums to their activated values, and the new state.
void activate(at::Tensor& gates_SG, const at::Tensor& previous_cell_SH, at::Tensor cell_SH,
              at::Tensor hidden_SH) {
  const int64_t size = cell_SH.size(1);
  gates_SG.narrow(1, 0, 2 * size).sigmoid_();
  at::Tensor candidate = gates_SG.narrow(1, 2 * size, size).tanh_();
  at::Tensor out = gates_SG.narrow(1, 3 * size, size).sigmoid_();
  at::mul_out(cell_SH, gates_SG.narrow(1, 0, size), candidate);
  if (previous_cell_SH.defined()) {
    cell_SH.addcmul_(gates_SG.narrow(1, size, size), previous_cell_SH);
  }
  at::tanh_out(hidden_SH, cell_SH);
  hidden_SH.mul_(out);
}

struct States {
  at::Tensor gates_TG, cells_TH, hidden_TH;
};

States run_steps(const at::Tensor& x_TI, at::IntArrayRef step_sizes, const at::Tensor& input_GI,
                 const at::Tensor& hidden_GH, const at::Tensor& bias_G, bool use_bf16) {
  const int64_t size = hidden_GH.size(1);
  States states;
  states.gates_TG = product(x_TI, input_GI.t(), use_bf16).add_(bias_G);
  states.cells_TH = at::empty({x_TI.size(0), size}, x_TI.options());
  states.hidden_TH = at::empty_like(states.cells_TH);
  const at::Tensor recurrent_HG = to_product_type(hidden_GH, use_bf16).t();
  for (const Step& step : to_steps(step_sizes)) {
    at::Tensor gates = states.gates_TG.narrow(0, step.start, step.size);
    at::Tensor previous_cell;
    if (step.previous >= 0) {
      const at::Tensor previous = states.hidden_TH.narrow(0, step.previous, step.size);
      add_product(previous, recurrent_HG, gates);
      previous_cell = states.cells_TH.narrow(0, step.previous, step.size);
    }
    activate(gates, previous_cell, states.cells_TH.narrow(0, step.start, step.size),
             states.hidden_TH.narrow(0, step.start, step.size));
  }
  return states;
}

// Gradients of the gates' sums, from those of the outputs; walks the steps backwards.
at::Tensor backward_steps(const States& states, at::IntArrayRef step_sizes,
                          const at::Tensor& hidden_GH, const at::Tensor& grad_out_TH,
                          bool use_bf16) {
  const int64_t size = hidden_GH.size(1);
  const std::vector<Step> steps = to_steps(step_sizes);
  at::Tensor grad_gates_TG = at::empty_like(states.gates_TG);
  const at::Tensor recurrent_GH = to_product_type(hidden_GH, use_bf16);
  const int64_t num_sequences = steps.front().size;
  at::Tensor grad_cell_SH = at::zeros({num_sequences, size}, grad_out_TH.options());
  at::Tensor grad_hidden_SH = at::empty_like(grad_cell_SH);
  for (size_t t = steps.size(); t-- > 0;) {
    const auto [start, num, previous] = steps[t];
    at::Tensor grad_hidden = grad_hidden_SH.narrow(0, 0, num);
    grad_hidden.copy_(grad_out_TH.narrow(0, start, num));
    if (t + 1 < steps.size()) {
      const Step& next = steps[t + 1];
      const at::Tensor grad_next = grad_gates_TG.narrow(0, next.start, next.size);
      at::Tensor target = grad_hidden.narrow(0, 0, next.size);
      add_product(grad_next, recurrent_GH, target);
    }
    const at::Tensor gates = states.gates_TG.narrow(0, start, num);
    at::Tensor grad_gates = grad_gates_TG.narrow(0, start, num);
    const auto part = [size](const at::Tensor& all, int gate) {
      return all.narrow(1, gate * size, size);
    };
    const at::Tensor tanh_cell = states.cells_TH.narrow(0, start, num).tanh();
    at::Tensor grad_cell = grad_cell_SH.narrow(0, 0, num);
    grad_cell.add_(at::tanh_backward(grad_hidden * part(gates, 3), tanh_cell));
    at::Tensor grad_i = part(grad_gates, 0), grad_f = part(grad_gates, 1);
    at::Tensor grad_g = part(grad_gates, 2), grad_o = part(grad_gates, 3);
    grad_i.copy_(at::sigmoid_backward(grad_cell * part(gates, 2), part(gates, 0)));
    grad_g.copy_(at::tanh_backward(grad_cell * part(gates, 0), part(gates, 2)));
    grad_o.copy_(at::sigmoid_backward(grad_hidden * tanh_cell, part(gates, 3)));
    if (previous < 0) {
      grad_f.zero_();
    } else {
      const at::Tensor previous_cell = states.cells_TH.narrow(0, previous, num);
      grad_f.copy_(at::sigmoid_backward(grad_cell * previous_cell, part(gates, 1)));
    }
    grad_cell.mul_(part(gates, 1));
  }
  return grad_gates_TG;
}

// grad_gates^T @ (state before each token); tokens of the first step have none.
at::Tensor recurrent_gradient(const at::Tensor& grad_gates_TG, const at::Tensor& hidden_TH,
                              at::IntArrayRef step_sizes, bool use_bf16) {
  const int64_t first = step_sizes[0];
  std::vector<at::Tensor> parts;
  for (const Step& step : to_steps(step_sizes)) {
    if (step.previous >= 0) parts.push_back(hidden_TH.narrow(0, step.previous, step.size));
  }
  if (parts.empty())
    return at::zeros({grad_gates_TG.size(1), hidden_TH.size(1)}, hidden_TH.options());
  const at::Tensor grads = grad_gates_TG.narrow(0, first, grad_gates_TG.size(0) - first);
  return product(grads.t(), at::cat(parts), use_bf16);
}

class PackedLstmFunction : public torch::autograd::Function<PackedLstmFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_TI,
                            const at::Tensor& input_GI, const at::Tensor& hidden_GH,
                            const at::Tensor& input_bias_G, const at::Tensor& hidden_bias_G,
                            std::vector<int64_t> step_sizes, bool use_bf16) {
    const States states =
        run_steps(x_TI, step_sizes, input_GI, hidden_GH, input_bias_G + hidden_bias_G, use_bf16);
    context->save_for_backward(
        {x_TI, input_GI, hidden_GH, states.gates_TG, states.cells_TH, states.hidden_TH});
    context->saved_data["step_sizes"] = step_sizes;
    context->saved_data["use_bf16"] = use_bf16;
    return states.hidden_TH;
  }

  static variable_list backward(AutogradContext* context, variable_list grad_outputs) {
    const variable_list saved = context->get_saved_variables();
    const std::vector<int64_t> step_sizes = context->saved_data["step_sizes"].toIntVector();
    const bool use_bf16 = context->saved_data["use_bf16"].toBool();
    const at::Tensor &x = saved[0], &input_GI = saved[1], &hidden_GH = saved[2];
    const States states{saved[3], saved[4], saved[5]};
    const at::Tensor grad_gates =
        backward_steps(states, step_sizes, hidden_GH, grad_outputs[0], use_bf16);
    variable_list grads(7);
    if (context->needs_input_grad(0)) grads[0] = product(grad_gates, input_GI, use_bf16);
    if (context->needs_input_grad(1)) grads[1] = product(grad_gates.t(), x, use_bf16);
    if (context->needs_input_grad(2)) {
      grads[2] = recurrent_gradient(grad_gates, states.hidden_TH, step_sizes, use_bf16);
    }
    if (context->needs_input_grad(3) || context->needs_input_grad(4)) {
      grads[3] = grads[4] = grad_gates.sum(0);
    }
    return grads;
  }
};

}  // namespace

LstmWeights get_lstm_weights(const NamedTensors& weights, const std::string& prefix, int64_t layer,
                             int64_t input_size, int64_t hidden_size, const std::string& suffix) {
  const int64_t gates = 4 * hidden_size;
  const std::string end = str("_l", layer, suffix);
  return {get_tensor(weights, prefix + "weight_ih" + end, {gates, input_size}),
          get_tensor(weights, prefix + "weight_hh" + end, {gates, hidden_size}),
          get_tensor(weights, prefix + "bias_ih" + end, {gates}),
          get_tensor(weights, prefix + "bias_hh" + end, {gates})};
}

at::Tensor packed_lstm(const at::Tensor& x_TI, const SequencePack& pack, const LstmWeights& weights,
                       bool use_bf16) {
  return PackedLstmFunction::apply(x_TI, weights.input_GI, weights.hidden_GH, weights.input_bias_G,
                                   weights.hidden_bias_G, pack.step_sizes, use_bf16);
}

}  // namespace sequela
