// The operations in torch's own against the kernels, float32, forward and backward.

#include "sequela/nn/plain/plain.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/token_embedding.h"
#include "tests/nn/hawk_support.h"
#include "tests/nn/time_to_event_support.h"

namespace sequela {
namespace {

constexpr double kTolerance = 1e-4;

at::Tensor recorded(const at::Tensor& x) {
  return x.detach().clone().requires_grad_(true);
}

TEST(PlainNorm, EqualsTheKernels) {
  for (auto [rows, columns] : {std::pair{1, 6}, {65, 130}, {200, 768}}) {
    SCOPED_TRACE(str(rows, " x ", columns));
    at::manual_seed(3);
    const at::Tensor x = recorded(at::randn({rows, columns})),
                     branch = recorded(at::randn({rows, columns})),
                     weight = recorded(at::randn({columns})), features = at::randn({rows, 5});
    const PlainNorm plain = plain_rms_norm(x, branch, weight, features);
    const at::NoGradGuard no_grad;
    const at::Tensor sum = at::empty({rows, columns}), out = at::empty({rows, columns}),
                     inverse_rms = at::empty({rows}), grad_out = at::randn({rows, columns}),
                     grad_x = at::empty({rows, columns}), grad_weight = at::zeros({columns});
    rms_norm_forward({x, branch, sum, weight, features, out, inverse_rms});
    EXPECT_LT(relative_error(plain.sum_TH, sum), kTolerance);
    EXPECT_LT(relative_error(plain.out_TH, out), kTolerance);
    plain.out_TH.backward(grad_out);
    rms_norm_backward({grad_out, sum, inverse_rms, weight, 5, grad_x, true, {}, grad_weight});
    EXPECT_LT(relative_error(x.grad(), grad_x), kTolerance);
    EXPECT_LT(relative_error(branch.grad(), grad_x), kTolerance);
    EXPECT_LT(relative_error(weight.grad(), grad_weight), kTolerance);
  }
}

TEST(PlainSwiglu, EqualsTheKernels) {
  const at::Tensor ff = recorded(at::randn({65, 260}) * 3), grad_out = at::randn({65, 130});
  const at::Tensor plain = plain_swiglu(ff);
  const at::NoGradGuard no_grad;
  const at::Tensor out = at::empty({65, 130}), grad_ff = at::empty({65, 260});
  swiglu_forward(ff, out);
  swiglu_backward(ff, grad_out, grad_ff);
  plain.backward(grad_out);
  EXPECT_LT(relative_error(plain, out), kTolerance);
  EXPECT_LT(relative_error(ff.grad(), grad_ff), kTolerance);
}

void check_attention(const std::vector<int>& lengths, int64_t window, AttentionDirection direction,
                     bool is_rotated) {
  at::manual_seed(11);
  const PackedSequences sequences = build_packed_sequences(at::tensor(lengths, at::kInt), at::kCPU);
  const int64_t tokens = sequences.num_tokens();
  const std::vector<int64_t> shape = {tokens, 2, 32};
  const at::Tensor q = recorded(at::randn(shape)), k = recorded(at::randn(shape)),
                   v = recorded(at::randn(shape));
  AttentionInputs inputs{q, k, v, {}, {}, &sequences, window, direction};
  if (is_rotated) {
    inputs.cos_TR = at::empty({tokens, 16});
    inputs.sin_TR = at::empty({tokens, 16});
    fill_rotary_tables(at::rand({tokens}) * 30, inputs.cos_TR, inputs.sin_TR);
  }
  const at::Tensor plain = plain_attention(inputs);
  const at::NoGradGuard no_grad;
  const at::Tensor out = at::empty(shape), logsumexp = at::empty({2, tokens}),
                   grad_out = at::randn(shape);
  const AttentionGradients gradients{at::empty(shape), at::empty(shape), at::empty(shape)};
  attention_forward(inputs, out, logsumexp);
  attention_backward(inputs, out, logsumexp, grad_out, gradients);
  plain.backward(grad_out);
  EXPECT_LT(relative_error(plain, out), kTolerance);
  // Not as shares: with a single key those of q and k are 0 but for rounding.
  EXPECT_LT((q.grad() - gradients.q_THD).abs().max().item<double>(), kTolerance);
  EXPECT_LT((k.grad() - gradients.k_THD).abs().max().item<double>(), kTolerance);
  EXPECT_LT(relative_error(v.grad(), gradients.v_THD), kTolerance);
}

TEST(PlainAttention, EqualsTheKernels) {
  for (const std::vector<int>& lengths : {std::vector<int>{1}, {5, 1, 7}, {255, 1, 2, 300, 64}}) {
    for (const int64_t window : {1, 20, 496}) {
      SCOPED_TRACE(str(lengths.size(), " sequences, window ", window));
      check_attention(lengths, window, AttentionDirection::causal, true);
    }
    SCOPED_TRACE(str(lengths.size(), " sequences, both directions"));
    check_attention(lengths, 0, AttentionDirection::bidirectional, false);
  }
}

TEST(PlainHawk, EqualsTheKernels) {
  for (size_t i = 0; i < kHawkCases.size(); ++i) {
    SCOPED_TRACE(str("case ", i));
    at::manual_seed(5);
    const HawkCase& c = kHawkCases[i];
    const PackedSequences sequences =
        build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
    const int64_t tokens = sequences.num_tokens(), width = c.blocks * c.block_size;
    const at::Tensor x = recorded(at::randn({tokens, width})),
                     y = recorded(at::randn({tokens, width}));
    std::vector<at::Tensor> leaves, gradients;
    for (const at::Tensor& tensor : tensors_of(random_hawk_parameters(c)))
      leaves.push_back(recorded(tensor));
    for (const at::Tensor& tensor : leaves) gradients.push_back(at::zeros(tensor.sizes()));
    const HawkParameters parameters = hawk_parameters_of(leaves);
    const at::Tensor plain = plain_hawk(x, y, parameters, sequences);
    const at::NoGradGuard no_grad;
    const at::Tensor out = at::empty({tokens, width}), grad_out = at::randn({tokens, width}),
                     grad_x = at::empty({tokens, width}), grad_y = at::empty({tokens, width}),
                     states = at::empty({num_hawk_chunks(tokens), width});
    hawk_forward(x, y, parameters, sequences, out, states);
    hawk_backward(x, y, parameters, sequences, states, grad_out, grad_x, grad_y,
                  hawk_parameters_of(gradients));
    plain.backward(grad_out);
    EXPECT_LT(relative_error(plain, out), kTolerance);
    EXPECT_LT(relative_error(x.grad(), grad_x), kTolerance);
    EXPECT_LT(relative_error(y.grad(), grad_y), kTolerance);
    for (size_t j = 0; j < leaves.size(); ++j)
      EXPECT_LT(relative_error(leaves[j].grad(), gradients[j]), kTolerance) << "parameter " << j;
  }
}

TEST(PlainEmbeddingBag, EqualsTheKernels) {
  for (const bool is_flat : {false, true}) {
    const at::Tensor table = recorded(at::randn({9, 40})),
                     ids = at::tensor({3, 3, 8, 0, 1, 3}, at::kInt), weights = at::rand({6}),
                     offsets = is_flat ? at::Tensor() : at::tensor({0, 2, 2, 6}, at::kInt);
    const at::Tensor plain = plain_embedding_bag(table, ids, weights, offsets);
    const at::NoGradGuard no_grad;
    const at::Tensor out = at::empty({is_flat ? 6 : 3, 40}), grad_table = at::zeros({9, 40}),
                     grad_out = at::randn(out.sizes());
    embedding_bag_forward(table, ids, weights, offsets, out);
    embedding_bag_backward(grad_out, ids, weights, offsets, grad_table);
    plain.backward(grad_out);
    EXPECT_LT(relative_error(plain, out), kTolerance);
    EXPECT_LT(relative_error(table.grad(), grad_table), kTolerance);
  }
}

void check_loss(const LossCase& c, bool has_time_bias, TimeAtRisk time_at_risk) {
  at::manual_seed(2);
  const MotorTargets targets = random_loss_targets(c);
  const at::Tensor z = recorded(at::randn({c.labels, c.bins, c.features}));
  TimeToEventHead head{recorded(at::randn({c.tasks, c.features}) * 0.1),
                       recorded(at::randn({c.tasks}) - 6),
                       {},
                       make_loss_edges(c.bins)};
  TimeToEventGradients gradients{
      at::empty(z.sizes()), at::zeros({c.tasks, c.features}), at::zeros({c.tasks}), {}};
  if (has_time_bias) {
    head.time_bias_KC = recorded(at::randn({c.bins, c.tasks}));
    gradients.time_bias_KC = at::zeros({c.bins, c.tasks});
  }
  const at::Tensor plain = plain_time_to_event_loss(z, head, targets, time_at_risk);
  const at::NoGradGuard no_grad;
  const at::Tensor loss = time_to_event_loss(z, head, targets, time_at_risk, 1.0, gradients);
  plain.backward();
  EXPECT_LT(relative_error(plain, loss), kTolerance);
  EXPECT_LT(relative_error(z.grad(), gradients.z_LKF), kTolerance);
  EXPECT_LT(relative_error(head.weight_CF.grad(), gradients.weight_CF), kTolerance);
  EXPECT_LT(relative_error(head.bias_C.grad(), gradients.bias_C), kTolerance);
  if (!has_time_bias) return;
  EXPECT_LT(relative_error(head.time_bias_KC.grad(), gradients.time_bias_KC), kTolerance);
}

TEST(PlainTimeToEvent, EqualsTheKernels) {
  for (size_t i = 0; i < kLossCases.size(); ++i) {
    SCOPED_TRACE(str("case ", i));
    check_loss(kLossCases[i], i % 2 == 0, TimeAtRisk::exact);
    check_loss(kLossCases[i], i % 2 == 1, TimeAtRisk::log2_float16);
  }
}

TEST(PlainTimeToEvent, IsZeroWithoutLabels) {
  const MotorTargets targets{at::zeros({0}), at::zeros({1}, at::kInt), at::zeros({0}, at::kInt),
                             at::zeros({0})};
  const at::Tensor loss = plain_time_to_event_loss(
      at::zeros({0, 8, 16}), {at::zeros({5, 16}), at::zeros({5}), {}, make_loss_edges(8)}, targets);
  EXPECT_EQ(loss.item<float>(), 0);
}

}  // namespace
}  // namespace sequela
