#include <vector>

#include "sequela/nn/plain/chunks.h"
#include "sequela/nn/plain/plain.h"

namespace sequela {
namespace {

constexpr int64_t kTaps = 4;  // of the convolution: tokens, the current one counted

// x moved `by` tokens later, zeros before.
at::Tensor later(const at::Tensor& x_TW, int64_t by) {
  return at::constant_pad_nd(x_TW.narrow(0, 0, x_TW.size(0) - by), {0, 0, by, 0});
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
at::Tensor scanned(at::Tensor a_TW, at::Tensor state_TW) {
  for (int64_t reach = 1; reach < state_TW.size(0); reach *= 2) {
    state_TW = state_TW + a_TW * later(state_TW, reach);
    a_TW = a_TW * later(a_TW, reach);
  }
  return state_TW;
}

// The states after the tokens [first, first + count).
struct Chunk {
  int64_t first, count;
  at::Tensor place_T1;  // of each token in its sequence

  Chunk(const PackedSequences& sequences, int64_t first_token, int64_t num_tokens)
      : first(first_token), count(num_tokens) {
    const at::Tensor& starts_T = sequences.token_starts_T;
    place_T1 =
        (at::arange(first, first + count, starts_T.options()) - starts_T.narrow(0, first, count))
            .unsqueeze(1);
  }

  // Rows of x with those before that the convolution reads, fewer at the very start.
  int64_t num_before() const { return std::min(first, kTaps - 1); }
  at::Tensor with_before(const at::Tensor& x_TW) const {
    return rows_of(x_TW, first - num_before(), count + num_before());
  }

  at::Tensor convolved(const at::Tensor& x_EW, const HawkParameters& p) const {
    const at::Tensor x = at::constant_pad_nd(x_EW, {0, 0, kTaps - 1 - num_before(), 0});
    at::Tensor sum_TW = p.conv_bias_W + p.conv_weight_4W[kTaps - 1] * x.narrow(0, kTaps - 1, count);
    for (int64_t lag = 1; lag < kTaps; ++lag) {
      sum_TW = sum_TW + p.conv_weight_4W[kTaps - 1 - lag] * x.narrow(0, kTaps - 1 - lag, count) *
                            (place_T1 >= lag);
    }
    return sum_TW;
  }

  // x_EW: with_before(x); before_1W: the state before the first token.
  at::Tensor states(const at::Tensor& x_EW, const at::Tensor& before_1W,
                    const HawkParameters& p) const {
    const at::Tensor u_TW = convolved(x_EW, p);
    const at::Tensor log_a_TW =
        -8 * gate(u_TW, p.a_gate_weight_NBB, p.a_gate_bias_NB) * at::softplus(p.a_param_W);
    const at::Tensor input_TW = u_TW * gate(u_TW, p.input_gate_weight_NBB, p.input_gate_bias_NB);
    const at::Tensor is_start_T1 = place_T1 == 0;
    const at::Tensor a_TW = at::exp(log_a_TW).masked_fill(is_start_T1, 0);
    const at::Tensor root_TW = bounded_root(-at::expm1(2 * log_a_TW)).masked_fill(is_start_T1, 1);
    const at::Tensor added_TW = input_TW * root_TW;
    const at::Tensor first_1W = added_TW.narrow(0, 0, 1) + a_TW.narrow(0, 0, 1) * before_1W;
    return scanned(a_TW, at::cat({first_1W, added_TW.narrow(0, 1, count - 1)}));
  }
};

at::Tensor gelu_of(const at::Tensor& y_TW) {
  return at::gelu(y_TW, "tanh");
}

using Members = std::vector<at::Tensor HawkParameters::*>;
const Members kMembers = {&HawkParameters::conv_weight_4W,
                          &HawkParameters::conv_bias_W,
                          &HawkParameters::input_gate_weight_NBB,
                          &HawkParameters::input_gate_bias_NB,
                          &HawkParameters::a_gate_weight_NBB,
                          &HawkParameters::a_gate_bias_NB,
                          &HawkParameters::a_param_W};

HawkParameters recorded_parameters(const HawkParameters& parameters) {
  HawkParameters leaves;
  for (const auto member : kMembers) leaves.*member = recorded(parameters.*member);
  return leaves;
}

}  // namespace

void plain_hawk_forward(const at::Tensor& x_TW, const at::Tensor& y_TW,
                        const HawkParameters& parameters, const PackedSequences& sequences,
                        const at::Tensor& out_TW, const at::Tensor& saved_states_CW) {
  const at::NoGradGuard no_grad;
  at::Tensor before_1W = at::zeros({1, x_TW.size(1)}, saved_states_CW.options());
  for_chunks(x_TW.size(0), kPlainTokens, [&](int64_t first, int64_t count) {
    const Chunk chunk(sequences, first, count);
    const at::Tensor states_TW =
        chunk.states(widened(chunk.with_before(x_TW)), before_1W, parameters);
    rows_of(out_TW, first, count).copy_(states_TW * gelu_of(widened(rows_of(y_TW, first, count))));
    const at::Tensor saved_CW =
        rows_of(saved_states_CW, first / kHawkChunk, num_hawk_chunks(count));
    saved_CW.narrow(0, 0, 1).copy_(before_1W);
    for (int64_t c = 1; c < saved_CW.size(0); ++c) saved_CW[c].copy_(states_TW[c * kHawkChunk - 1]);
    before_1W = states_TW.narrow(0, count - 1, 1);
  });
}

void plain_hawk_backward(const at::Tensor& x_TW, const at::Tensor& y_TW,
                         const HawkParameters& parameters, const PackedSequences& sequences,
                         const at::Tensor& saved_states_CW, const at::Tensor& grad_out_TW,
                         const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                         const HawkParameters& gradients) {
  const at::NoGradGuard no_grad;
  const HawkParameters leaves = recorded_parameters(parameters);
  const int64_t tokens = x_TW.size(0), width = x_TW.size(1);
  const at::Tensor sums_TW = at::zeros({tokens, width}, saved_states_CW.options());
  at::Tensor grad_after_1W = at::zeros({1, width}, saved_states_CW.options());
  for (int64_t c = (tokens + kPlainTokens - 1) / kPlainTokens; c-- > 0;) {
    const int64_t first = c * kPlainTokens;
    const Chunk chunk(sequences, first, std::min(kPlainTokens, tokens - first));
    const at::Tensor x_EW = recorded(chunk.with_before(x_TW)),
                     y = recorded(rows_of(y_TW, first, chunk.count)),
                     saved_1W = saved_states_CW.narrow(0, first / kHawkChunk, 1),
                     before_1W = recorded(c == 0 ? at::zeros_like(saved_1W) : saved_1W);
    {
      const at::AutoGradMode with_grad(true);
      const at::Tensor states_TW = chunk.states(x_EW, before_1W, leaves);
      const at::Tensor out_TW = states_TW * gelu_of(y);
      const at::Tensor last_1W = states_TW.narrow(0, chunk.count - 1, 1);
      ((out_TW * widened(rows_of(grad_out_TW, first, chunk.count))).sum() +
       (last_1W * grad_after_1W).sum())
          .backward();
    }
    chunk.with_before(sums_TW).add_(x_EW.grad());
    rows_of(grad_y_TW, first, chunk.count).copy_(y.grad());
    grad_after_1W = before_1W.grad();
  }
  grad_x_TW.copy_(sums_TW);
  for (const auto member : kMembers) add_gradient(gradients.*member, leaves.*member);
}

}  // namespace sequela
