#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <vector>

#include "sequela/nn/recurrence.h"
#include "tests/nn/kernel_support.h"

namespace sequela {

struct HawkCase {
  std::vector<int> lengths;
  int64_t blocks, block_size;
};

inline const std::vector<HawkCase> kHawkCases = {
    {{1}, 1, 8},       {{1, 1, 2}, 2, 16},       {{5, 3, 7}, 4, 16},
    {{150}, 2, 64},    {{63, 1, 64, 65}, 3, 64}, {{130, 2, 3, 4, 200}, 2, 64},
    {{100, 90}, 2, 24}};

inline HawkParameters random_hawk_parameters(const HawkCase& c) {
  const int64_t width = c.blocks * c.block_size;
  const double scale = 1 / std::sqrt(double(c.block_size));
  return {
      .conv_weight_4W = random_values({4, width}, 0.5, at::kFloat),
      .conv_bias_W = random_values({width}, 0.2, at::kFloat),
      .input_gate_weight_NBB =
          random_values({c.blocks, c.block_size, c.block_size}, scale, at::kFloat),
      .input_gate_bias_NB = random_values({c.blocks, c.block_size}, 0.3, at::kFloat),
      .a_gate_weight_NBB = random_values({c.blocks, c.block_size, c.block_size}, scale, at::kFloat),
      .a_gate_bias_NB = random_values({c.blocks, c.block_size}, 0.3, at::kFloat),
      .a_param_W = random_values({width}, 1, at::kFloat) - 4};
}

inline std::vector<at::Tensor> tensors_of(const HawkParameters& p) {
  return {p.conv_weight_4W,     p.conv_bias_W,       p.input_gate_weight_NBB,
          p.input_gate_bias_NB, p.a_gate_weight_NBB, p.a_gate_bias_NB,
          p.a_param_W};
}

inline HawkParameters hawk_parameters_of(const std::vector<at::Tensor>& t) {
  return {t[0], t[1], t[2], t[3], t[4], t[5], t[6]};
}

// The published recurrence in double with autograd; only the scan goes token by token.
inline at::Tensor dense_hawk(const at::Tensor& x, const at::Tensor& y, const HawkParameters& p,
                             const PackedSequences& sequences) {
  const int64_t tokens = x.size(0);
  const at::Tensor starts = at::tensor(sequences.token_starts, at::kLong),
                   ids = at::arange(tokens, at::kLong);
  at::Tensor u = p.conv_bias_W.expand({tokens, -1});
  for (int64_t lag = 0; lag < 4; ++lag) {
    const at::Tensor is_inside = (ids - lag >= starts).unsqueeze(1);
    u = u + p.conv_weight_4W[3 - lag] * x.index_select(0, at::clamp_min(ids - lag, 0)) * is_inside;
  }
  auto gate = [&](const at::Tensor& weight, const at::Tensor& bias) {
    const at::Tensor blocks = u.view({tokens, weight.size(0), -1}).transpose(0, 1);
    return at::sigmoid(at::bmm(blocks, weight).transpose(0, 1) + bias).flatten(1);
  };
  const at::Tensor log_a =
      -8 * gate(p.a_gate_weight_NBB, p.a_gate_bias_NB) * at::softplus(p.a_param_W);
  const at::Tensor input = u * gate(p.input_gate_weight_NBB, p.input_gate_bias_NB);
  const std::vector<at::Tensor> a = at::exp(log_a).unbind(), first = input.unbind();
  const std::vector<at::Tensor> later = (input * at::sqrt(1 - at::exp(2 * log_a))).unbind();
  std::vector<at::Tensor> states;
  for (int64_t t = 0; t < tokens; ++t) {
    states.push_back(t == sequences.token_starts[t] ? first[t] : a[t] * states.back() + later[t]);
  }
  return at::stack(states) * at::gelu(y, "tanh");
}

}  // namespace sequela
