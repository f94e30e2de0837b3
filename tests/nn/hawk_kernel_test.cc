#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/nn/recurrence.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

struct Case {
  std::vector<int> lengths;
  int64_t blocks, block_size;
};

const std::vector<Case> kCases = {
    {{1}, 1, 8},       {{1, 1, 2}, 2, 16},       {{5, 3, 7}, 4, 16},
    {{150}, 2, 64},    {{63, 1, 64, 65}, 3, 64}, {{130, 2, 3, 4, 200}, 2, 64},
    {{100, 90}, 2, 24}};

HawkParameters random_parameters(const Case& c) {
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

std::vector<at::Tensor> tensors_of(const HawkParameters& p) {
  return {p.conv_weight_4W,     p.conv_bias_W,       p.input_gate_weight_NBB,
          p.input_gate_bias_NB, p.a_gate_weight_NBB, p.a_gate_bias_NB,
          p.a_param_W};
}

HawkParameters from_tensors(const std::vector<at::Tensor>& t) {
  return {t[0], t[1], t[2], t[3], t[4], t[5], t[6]};
}

// The published recurrence in double with autograd; only the scan goes token by token.
at::Tensor dense_hawk(const at::Tensor& x, const at::Tensor& y, const HawkParameters& p,
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

void check_against_dense(const Case& c, at::ScalarType type) {
  at::manual_seed(5);
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  const int64_t tokens = sequences.num_tokens(), width = c.blocks * c.block_size;
  const at::Tensor x = in_wider_rows(random_values({tokens, width}, 1, type), 24);
  const at::Tensor y = in_wider_rows(random_values({tokens, width}, 1, type), 16);
  const HawkParameters parameters = random_parameters(c);
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& tensor : tensors_of(parameters)) leaves.push_back(leaf(tensor));
  const at::Tensor x_leaf = leaf(x), y_leaf = leaf(y);
  const at::Tensor expected = dense_hawk(x_leaf, y_leaf, from_tensors(leaves), sequences);

  at::Tensor out = in_wider_rows(at::zeros({tokens, width}, type), 8);
  at::Tensor states = at::empty({num_hawk_chunks(tokens), width});
  hawk_forward(x, y, parameters, sequences, out, states);
  EXPECT_LT(relative_error(out, expected), tolerance(type));

  const at::Tensor grad_out = in_wider_rows(random_values({tokens, width}, 1, type), 40);
  expected.backward(grad_out.to(at::kDouble));
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& tensor : leaves) gradients.push_back(at::ones(tensor.sizes()));
  at::Tensor grad_x = in_wider_rows(at::ones({tokens, width}, type), 8);
  at::Tensor grad_y = in_wider_rows(at::ones({tokens, width}, type), 48);
  hawk_backward(x, y, parameters, sequences, states, grad_out, grad_x, grad_y,
                from_tensors(gradients));
  EXPECT_LT(relative_error(grad_x, x_leaf.grad()), tolerance(type));
  EXPECT_LT(relative_error(grad_y, y_leaf.grad()), tolerance(type));
  for (size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_LT(relative_error(gradients[i] - 1, leaves[i].grad()), tolerance(type))
        << "parameter " << i;
  }
}

TEST(HawkKernel, EqualsThePublishedRecurrenceAndItsGradients) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (size_t i = 0; i < kCases.size(); ++i) {
      for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(
            str(to_text(isa), ", case ", i, type == at::kFloat ? ", float32" : ", bfloat16"));
        check_against_dense(kCases[i], type);
      }
    }
  }
}

TEST(HawkKernel, DoesNotDependOnTheNumberOfThreads) {
  const Case c{{300, 1, 90}, 4, 32};
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  const HawkParameters parameters = random_parameters(c);
  for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = random_values({3, sequences.num_tokens(), 128}, 1, type);
    expect_same_for_any_threads([&] {
      const at::Tensor states = at::empty({num_hawk_chunks(sequences.num_tokens()), 128});
      std::vector<at::Tensor> results;
      for (const at::Tensor& tensor : tensors_of(parameters))
        results.push_back(at::zeros(tensor.sizes()));
      const HawkParameters gradients = from_tensors(results);
      const at::Tensor out = at::empty_like(x);
      hawk_forward(x[0], x[1], parameters, sequences, out[0], states);
      hawk_backward(x[0], x[1], parameters, sequences, states, x[2], out[1], out[2], gradients);
      results.push_back(out);
      return results;
    });
  }
}

TEST(HawkKernel, BoundsTheGradientOfTheRoot) {
  // a_param so small that a rounds to 1: the root's derivative is infinite without the bound.
  at::manual_seed(6);
  const Case c{{70}, 1, 64};
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  HawkParameters parameters = random_parameters(c);
  parameters.a_param_W = at::full({64}, -40.0);
  const at::Tensor x = random_values({70, 64}, 1, at::kFloat), ones = at::ones({70, 64});
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    at::Tensor out = at::empty({70, 64}), states = at::empty({num_hawk_chunks(70), 64});
    hawk_forward(x, ones, parameters, sequences, out, states);
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& tensor : tensors_of(parameters))
      gradients.push_back(at::zeros(tensor.sizes()));
    at::Tensor grad_x = at::empty({70, 64}), grad_y = at::empty({70, 64});
    hawk_backward(x, ones, parameters, sequences, states, ones, grad_x, grad_y,
                  from_tensors(gradients));
    EXPECT_TRUE(at::isfinite(grad_x).all().item<bool>());
    for (const at::Tensor& gradient : gradients)
      EXPECT_TRUE(at::isfinite(gradient).all().item<bool>());
  }
}

}  // namespace
}  // namespace sequela
