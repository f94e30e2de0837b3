#include <ATen/ATen.h>

#include "sequela/nn/plain/plain.h"

namespace sequela {
namespace {

// x moved `by` tokens later, zeros before.
at::Tensor later(const at::Tensor& x_TW, int64_t by) {
  return at::constant_pad_nd(x_TW.narrow(0, 0, x_TW.size(0) - by), {0, 0, by, 0});
}

// The last four tokens' weighted sum, those before the sequence's start left out.
at::Tensor convolved(const at::Tensor& x_TW, const HawkParameters& p, const at::Tensor& place_T1) {
  at::Tensor sum_TW = p.conv_bias_W + p.conv_weight_4W[3] * x_TW;
  for (int64_t lag = 1; lag < 4 && lag < x_TW.size(0); ++lag) {
    sum_TW = sum_TW + p.conv_weight_4W[3 - lag] * later(x_TW, lag) * (place_T1 >= lag);
  }
  return sum_TW;
}

at::Tensor gate(const at::Tensor& u_TW, const at::Tensor& weight_NBB, const at::Tensor& bias_NB) {
  const at::Tensor u_NTB = u_TW.unflatten(1, {weight_NBB.size(0), -1}).transpose(0, 1);
  return at::sigmoid(at::bmm(u_NTB, weight_NBB).transpose(0, 1) + bias_NB).flatten(1);
}

// The square root with a derivative of at most 1000.
at::Tensor bounded_root(const at::Tensor& x) {
  constexpr double kSteep = 0.25e-6;
  const at::Tensor line = at::sqrt(x.detach()) + 1000 * (x - x.detach());
  return at::where(x < kSteep, line, at::sqrt(x.clamp_min(kSteep)));
}

// s_t = a_t s_(t-1) + input_t by doubling: after each round a token holds twice as many steps.
at::Tensor scanned(at::Tensor a_TW, at::Tensor state_TW, int64_t longest) {
  for (int64_t reach = 1; reach < longest; reach *= 2) {
    state_TW = state_TW + a_TW * later(state_TW, reach);
    a_TW = a_TW * later(a_TW, reach);
  }
  return state_TW;
}

}  // namespace

at::Tensor plain_hawk(const at::Tensor& x_TW, const at::Tensor& y_TW, const HawkParameters& p,
                      const PackedSequences& sequences) {
  const at::Tensor& starts_T = sequences.token_starts_T;
  const at::Tensor place_T1 =
      (at::arange(x_TW.size(0), starts_T.options()) - starts_T).unsqueeze(1);
  const at::Tensor u_TW = convolved(x_TW, p, place_T1);
  const at::Tensor log_a_TW =
      -8 * gate(u_TW, p.a_gate_weight_NBB, p.a_gate_bias_NB) * at::softplus(p.a_param_W);
  const at::Tensor input_TW = u_TW * gate(u_TW, p.input_gate_weight_NBB, p.input_gate_bias_NB);
  const at::Tensor is_start_T1 = place_T1 == 0;
  const at::Tensor a_TW = at::exp(log_a_TW).masked_fill(is_start_T1, 0);
  const at::Tensor root_TW = bounded_root(-at::expm1(2 * log_a_TW)).masked_fill(is_start_T1, 1);
  return scanned(a_TW, input_TW * root_TW, sequences.max_length) * at::gelu(y_TW, "tanh");
}

}  // namespace sequela
