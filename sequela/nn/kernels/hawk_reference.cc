// Plain hawk core in float32: whole [T, W] intermediates, a loop over tokens for the scan.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>

#include "sequela/nn/kernels/hawk_kernels.h"

namespace sequela {
namespace {

constexpr double kGateScale = -8;
constexpr double kMinFourRoot =
    1e-6;  // 1 / 1000^2: bounds the derivative of the square root by 1000

// 1 where token t - lag is in the sequence of token t, else 0; float32 [T, 1].
at::Tensor reaches_back(const PackedSequences& sequences, int64_t lag) {
  at::Tensor mask = at::zeros({sequences.num_tokens(), 1});
  float* values = mask.data_ptr<float>();
  for (int64_t t = 0; t < sequences.num_tokens(); ++t)
    values[t] = t - lag >= sequences.token_starts[t] ? 1 : 0;
  return mask;
}

// Row t of the result is row t - lag of x (zero outside).
at::Tensor shifted(const at::Tensor& x, int64_t lag) {
  at::Tensor moved = at::zeros_like(x);
  const int64_t rows = std::max<int64_t>(0, x.size(0) - std::abs(lag));
  if (rows == 0) return moved;
  moved.narrow(0, std::max<int64_t>(0, lag), rows)
      .copy_(x.narrow(0, std::max<int64_t>(0, -lag), rows));
  return moved;
}

at::Tensor block_linear(const at::Tensor& x_TW, const at::Tensor& weight_NBB,
                        const at::Tensor& bias_NB) {
  const at::Tensor x_NTB =
      x_TW.view({x_TW.size(0), weight_NBB.size(0), weight_NBB.size(1)}).transpose(0, 1);
  return at::bmm(x_NTB, weight_NBB).transpose(0, 1).reshape(x_TW.sizes()) +
         bias_NB.reshape({1, -1});
}

// s_t = a_t s_(t-1) + b_t, or the same from the last row up with a shifted by the caller.
at::Tensor scan(const at::Tensor& a_TW, const at::Tensor& b_TW, bool is_reverse) {
  const at::Tensor a = a_TW.contiguous(), b = b_TW.contiguous();
  at::Tensor states = at::zeros_like(b);
  const int64_t tokens = b.size(0), width = b.size(1);
  const float* a_data = a.const_data_ptr<float>();
  const float* b_data = b.const_data_ptr<float>();
  float* s_data = states.data_ptr<float>();
  for (int64_t step = 0; step < tokens; ++step) {
    const int64_t t = is_reverse ? tokens - 1 - step : step;
    const float* before = step == 0 ? nullptr : s_data + (is_reverse ? t + 1 : t - 1) * width;
    for (int64_t w = 0; w < width; ++w) {
      s_data[t * width + w] =
          b_data[t * width + w] + (before ? a_data[t * width + w] * before[w] : 0.0f);
    }
  }
  return states;
}

struct Intermediates {
  at::Tensor x, y, conv, a_gate, input_gate, a, one_minus_square, multiplier, states, gelu;
  at::Tensor is_inside;  // [T, 1], 0 at sequence starts

  Intermediates(const at::Tensor& x_TW, const at::Tensor& y_TW, const HawkParameters& p,
                const PackedSequences& sequences) {
    x = x_TW.to(at::kFloat).contiguous();
    y = y_TW.to(at::kFloat).contiguous();
    is_inside = reaches_back(sequences, 1);
    conv = p.conv_bias_W.unsqueeze(0).repeat({x.size(0), 1});
    for (int64_t i = 0; i < 4; ++i)
      conv += p.conv_weight_4W[i] * shifted(x, 3 - i) * reaches_back(sequences, 3 - i);
    a_gate = at::sigmoid(block_linear(conv, p.a_gate_weight_NBB, p.a_gate_bias_NB));
    input_gate = at::sigmoid(block_linear(conv, p.input_gate_weight_NBB, p.input_gate_bias_NB));
    const at::Tensor log_a = kGateScale * a_gate * at::softplus(p.a_param_W);
    a = at::exp(log_a) * is_inside;
    one_minus_square = 1 - at::exp(2 * log_a);
    multiplier = at::sqrt(one_minus_square) * is_inside + (1 - is_inside);
    states = scan(a, conv * input_gate * multiplier, false);
    gelu = at::gelu(y, "tanh");
  }
};

void block_linear_backward(const at::Tensor& grad_TW, const at::Tensor& x_TW,
                           const at::Tensor& weight_NBB, at::Tensor& grad_x_TW,
                           const at::Tensor& grad_weight_NBB, const at::Tensor& grad_bias_NB) {
  auto by_block = [&](const at::Tensor& m) {
    return m.view({m.size(0), weight_NBB.size(0), weight_NBB.size(1)}).transpose(0, 1);
  };
  const at::Tensor grad_NTB = by_block(grad_TW);
  grad_x_TW +=
      at::bmm(grad_NTB, weight_NBB.transpose(1, 2)).transpose(0, 1).reshape(grad_x_TW.sizes());
  grad_weight_NBB.add_(at::bmm(by_block(x_TW).transpose(1, 2), grad_NTB));
  grad_bias_NB.add_(grad_TW.sum(0).view(grad_bias_NB.sizes()));
}

}  // namespace

void hawk_forward_reference(const at::Tensor& x_TW, const at::Tensor& y_TW,
                            const HawkParameters& parameters, const PackedSequences& sequences,
                            const at::Tensor& out_TW, const at::Tensor& saved_states_CW) {
  const Intermediates m(x_TW, y_TW, parameters, sequences);
  out_TW.copy_(m.states * m.gelu);
  saved_states_CW.zero_();
  for (int64_t c = 1; c < saved_states_CW.size(0); ++c)
    saved_states_CW[c].copy_(m.states[c * kHawkChunk - 1]);
}

void hawk_backward_reference(const at::Tensor& x_TW, const at::Tensor& y_TW,
                             const HawkParameters& parameters, const PackedSequences& sequences,
                             const at::Tensor& /*saved_states_CW*/, const at::Tensor& grad_out_TW,
                             const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                             const HawkParameters& gradients) {
  const Intermediates m(x_TW, y_TW, parameters, sequences);
  const at::Tensor grad_out = grad_out_TW.to(at::kFloat);
  grad_y_TW.copy_(at::gelu_backward(grad_out * m.states, m.y, "tanh"));

  const at::Tensor grad_state = scan(shifted(m.a, -1), grad_out * m.gelu, true);
  const at::Tensor grad_a = grad_state * shifted(m.states, 1) * m.is_inside;
  const at::Tensor grad_multiplier = grad_state * m.conv * m.input_gate * m.is_inside;
  // d sqrt(v) / dv with 4 v bounded from below; v = 1 - a^2, log a = kGateScale * gate *
  // softplus(a_param).
  const at::Tensor grad_square =
      -grad_multiplier / at::sqrt(at::clamp_min(4 * m.one_minus_square, kMinFourRoot));
  const at::Tensor softplus = at::softplus(parameters.a_param_W);
  const at::Tensor grad_log_a = grad_a * m.a + 2 * grad_square * (1 - m.one_minus_square);
  gradients.a_param_W.add_((kGateScale * grad_log_a * m.a_gate).sum(0) *
                           at::sigmoid(parameters.a_param_W));

  const at::Tensor grad_a_gate = kGateScale * grad_log_a * softplus * m.a_gate * (1 - m.a_gate);
  const at::Tensor grad_input = grad_state * m.multiplier;
  const at::Tensor grad_input_gate = grad_input * m.conv * m.input_gate * (1 - m.input_gate);
  at::Tensor grad_conv = grad_input * m.input_gate;
  block_linear_backward(grad_a_gate, m.conv, parameters.a_gate_weight_NBB, grad_conv,
                        gradients.a_gate_weight_NBB, gradients.a_gate_bias_NB);
  block_linear_backward(grad_input_gate, m.conv, parameters.input_gate_weight_NBB, grad_conv,
                        gradients.input_gate_weight_NBB, gradients.input_gate_bias_NB);

  at::Tensor grad_x = at::zeros_like(m.x);
  for (int64_t i = 0; i < 4; ++i) {
    const at::Tensor reached = grad_conv * reaches_back(sequences, 3 - i);
    grad_x += shifted(reached, i - 3) * parameters.conv_weight_4W[i];
    gradients.conv_weight_4W[i].add_((reached * shifted(m.x, 3 - i)).sum(0));
  }
  gradients.conv_bias_W.add_(grad_conv.sum(0));
  grad_x_TW.copy_(grad_x);
}

}  // namespace sequela
