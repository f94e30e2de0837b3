// The operations in torch's own (Kernels::plain) against the kernels: the same functions, told
// which way to go.

#include "sequela/nn/plain/plain.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>

#include "sequela/core/error.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/token_embedding.h"
#include "tests/nn/hawk_support.h"
#include "tests/nn/time_to_event_support.h"

namespace sequela {
namespace {

using Tensors = std::vector<at::Tensor>;

// Both ways' results, those of `run` in order.
void expect_same(at::ScalarType type, const std::function<Tensors(const Ways& ways)>& run) {
  const double bound = type == at::kFloat ? 1e-4 : 2e-2;
  const Tensors plain = run(Kernels::plain), own = run(Kernels::own);
  ASSERT_EQ(plain.size(), own.size());
  for (size_t i = 0; i < own.size(); ++i) {
    // Not as a share alone: with a single key attention's gradients of q and k are 0 but for
    // rounding.
    const double largest =
        (own[i].to(at::kDouble) - plain[i].to(at::kDouble)).abs().max().item<double>();
    EXPECT_LT(std::min(relative_error(plain[i], own[i]), largest), bound) << "result " << i;
  }
}

constexpr at::ScalarType kTypes[] = {at::kFloat, at::kBFloat16};

TEST(PlainNorm, EqualsTheKernels) {
  for (const at::ScalarType type : kTypes) {
    for (auto [rows, columns] : {std::pair{1, 6}, {65, 130}, {200, 768}, {2100, 24}}) {
      SCOPED_TRACE(str(rows, " x ", columns));
      at::manual_seed(3);
      const at::Tensor x = at::randn({rows, columns}), weight = at::randn({columns}),
                       branch = random_values({rows, columns}, 1, type),
                       features = at::randn({rows, 5}), before = at::randn({rows, columns}),
                       grad_out = random_values({rows, columns}, 1, type);
      expect_same(type, [&](const Ways& ways) -> Tensors {
        const at::Tensor sum = x.clone(), out = at::empty({rows, columns}, type),
                         inverse_rms = at::empty({rows}), grad_x = before.clone(),
                         copy = at::empty({rows, columns}, type), grad_weight = at::ones({columns});
        rms_norm_forward({sum, branch, sum, weight, features, out, inverse_rms}, ways);
        rms_norm_backward({grad_out, sum, inverse_rms, weight, 5, grad_x, false, copy, grad_weight},
                          ways);
        return {sum, out, inverse_rms, grad_x, copy, grad_weight};
      });
    }
  }
}

// The first gradient may overwrite what was normed.
TEST(PlainNorm, OverwritesItsInput) {
  const at::Tensor x = at::randn({1030, 16}), weight = at::rand({16}),
                   grad_out = at::randn({1030, 16});
  expect_same(at::kFloat, [&](const Ways& ways) -> Tensors {
    const at::Tensor sum = x.clone(), out = at::empty_like(x), inverse_rms = at::empty({1030}),
                     grad_weight = at::zeros({16});
    rms_norm_forward({sum, {}, {}, weight, {}, out, inverse_rms}, ways);
    rms_norm_backward({grad_out, sum, inverse_rms, weight, 0, sum, true, {}, grad_weight}, ways);
    return {out, inverse_rms, sum, grad_weight};
  });
}

TEST(PlainSwiglu, EqualsTheKernels) {
  for (const at::ScalarType type : kTypes) {
    for (const int64_t rows : {65, 1100}) {
      const at::Tensor ff = random_values({rows, 260}, 3, type),
                       grad_out = random_values({rows, 130}, 1, type);
      expect_same(type, [&](const Ways& ways) -> Tensors {
        const at::Tensor out = at::empty({rows, 130}, type), grad_ff = at::empty({rows, 260}, type);
        swiglu_forward(ff, out, ways);
        swiglu_backward(ff, grad_out, grad_ff, ways);
        return {out, grad_ff};
      });
    }
  }
}

void check_attention(at::ScalarType type, const std::vector<int>& lengths, int64_t window,
                     AttentionDirection direction, bool is_rotated) {
  at::manual_seed(11);
  const PackedSequences sequences = build_packed_sequences(at::tensor(lengths, at::kInt), at::kCPU);
  const int64_t tokens = sequences.num_tokens();
  const std::vector<int64_t> shape = {tokens, 2, 32};
  const auto values = [&] { return in_wider_rows(random_values(shape, 1, type), 16); };
  AttentionInputs inputs{values(), values(), values(), {}, {}, &sequences, window, direction};
  if (is_rotated) {
    inputs.cos_TR = at::empty({tokens, 16});
    inputs.sin_TR = at::empty({tokens, 16});
    fill_rotary_tables(at::rand({tokens}) * 30, inputs.cos_TR, inputs.sin_TR);
  }
  const at::Tensor grad_out = values();
  expect_same(type, [&](const Ways& ways) -> Tensors {
    const at::Tensor out = at::empty(shape, type), logsumexp = at::empty({2, tokens});
    const auto gradient = [&] { return in_wider_rows(at::zeros(shape, type), 16); };
    const AttentionGradients gradients{gradient(), gradient(), gradient()};
    attention_forward(inputs, out, logsumexp, ways);
    attention_backward(inputs, out, logsumexp, grad_out, gradients, ways);
    return {out, logsumexp, gradients.q_THD, gradients.k_THD, gradients.v_THD};
  });
}

TEST(PlainAttention, EqualsTheKernels) {
  for (const at::ScalarType type : kTypes) {
    for (const std::vector<int>& lengths : {std::vector<int>{1}, {5, 1, 7}, {255, 1, 2, 300, 64}}) {
      for (const int64_t window : {1, 20, 496}) {
        SCOPED_TRACE(str(lengths.size(), " sequences, window ", window));
        check_attention(type, lengths, window, AttentionDirection::causal, true);
      }
      SCOPED_TRACE(str(lengths.size(), " sequences, both directions"));
      check_attention(type, lengths, 0, AttentionDirection::bidirectional, false);
    }
  }
}

TEST(PlainHawk, EqualsTheKernels) {
  std::vector<HawkCase> cases = kHawkCases;
  cases.push_back({{1030, 1, 1100, 2}, 1, 16});  // across chunks
  for (size_t i = 0; i < 2 * cases.size(); ++i) {
    SCOPED_TRACE(str("case ", i));
    at::manual_seed(5);
    const HawkCase& c = cases[i / 2];
    const at::ScalarType type = kTypes[i % 2];
    const PackedSequences sequences =
        build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
    const int64_t tokens = sequences.num_tokens(), width = c.blocks * c.block_size;
    const auto values = [&] { return random_values({tokens, width}, 1, type); };
    const at::Tensor x = values(), y = values(), grad_out = values();
    const HawkParameters parameters = random_hawk_parameters(c);
    expect_same(type, [&](const Ways& ways) {
      const at::Tensor out = at::empty({tokens, width}, type), grad_x = at::empty_like(out),
                       grad_y = at::empty_like(out),
                       states = at::empty({num_hawk_chunks(tokens), width});
      Tensors gradients;
      for (const at::Tensor& tensor : tensors_of(parameters))
        gradients.push_back(at::ones(tensor.sizes()));
      hawk_forward(x, y, parameters, sequences, out, states, ways);
      hawk_backward(x, y, parameters, sequences, states, grad_out, grad_x, grad_y,
                    hawk_parameters_of(gradients), ways);
      Tensors results = {out, grad_x, grad_y};
      results.insert(results.end(), gradients.begin(), gradients.end());
      return results;
    });
  }
}

TEST(PlainEmbeddingBag, EqualsTheKernels) {
  for (const bool is_flat : {false, true}) {
    for (const bool is_weighted : {false, true}) {
      const at::Tensor table = at::randn({9, 40}), ids = at::tensor({3, 3, 8, 0, 1, 3}, at::kInt),
                       weights = is_weighted ? at::rand({6}) : at::Tensor(),
                       offsets = is_flat ? at::Tensor() : at::tensor({0, 2, 2, 6}, at::kInt),
                       grad_out = at::randn({is_flat ? 6 : 3, 40});
      expect_same(at::kFloat, [&](const Ways& ways) -> Tensors {
        const at::Tensor out = at::empty_like(grad_out), grad_table = at::ones({9, 40});
        embedding_bag_forward(table, ids, weights, offsets, out, ways);
        embedding_bag_backward(grad_out, ids, weights, offsets, grad_table, ways);
        return {out, grad_table};
      });
    }
  }
}

void check_loss(at::ScalarType type, const LossCase& c, bool has_time_bias,
                TimeAtRisk time_at_risk) {
  at::manual_seed(2);
  const MotorTargets targets = random_loss_targets(c);
  const at::Tensor z = random_values({c.labels, c.bins, c.features}, 1, type);
  TimeToEventHead head{random_values({c.tasks, c.features}, 0.1, type),
                       at::randn({c.tasks}) - 6,
                       {},
                       make_loss_edges(c.bins)};
  if (has_time_bias) head.time_bias_KC = at::randn({c.bins, c.tasks});
  expect_same(type, [&](const Ways& ways) {
    Tensors gradients = {at::empty_like(z), at::ones({c.tasks, c.features}), at::ones({c.tasks})};
    if (has_time_bias) gradients.push_back(at::ones({c.bins, c.tasks}));
    const at::Tensor loss = time_to_event_loss(
        z, head, targets, time_at_risk, 1e3,
        {gradients[0], gradients[1], gradients[2], has_time_bias ? gradients[3] : at::Tensor()},
        ways);
    const TimeToEventCosts costs = time_to_event_costs(z, head, targets, time_at_risk, ways);
    EXPECT_TRUE(costs.loss.equal(loss));
    gradients.insert(gradients.end(), {loss, costs.cost_C});
    return gradients;
  });
}

TEST(PlainTimeToEvent, EqualsTheKernels) {
  std::vector<LossCase> cases = kLossCases;
  cases.push_back({1500, 4, 1000, 32, 0.01});  // across chunks
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(str("case ", i));
    for (const at::ScalarType type : kTypes) {
      check_loss(type, cases[i], i % 2 == 0, TimeAtRisk::exact);
      check_loss(type, cases[i], i % 2 == 1, TimeAtRisk::log2_float16);
    }
  }
}

TEST(PlainTimeToEvent, IsZeroWithoutLabels) {
  const MotorTargets targets{at::zeros({0}), at::zeros({1}, at::kInt), at::zeros({0}, at::kInt),
                             at::zeros({0})};
  const at::Tensor loss = time_to_event_loss(
      at::zeros({0, 8, 16}), {at::zeros({5, 16}), at::zeros({5}), {}, make_loss_edges(8)}, targets,
      TimeAtRisk::exact, std::nullopt, {}, Kernels::plain);
  EXPECT_EQ(loss.item<float>(), 0);
}

// What has no own kernel goes the plain way by itself, and is an error only where that is
// forbidden.
TEST(Ways, TakeThePlainOneWhereThereIsNoOwnKernel) {
  const at::Tensor ff = at::randn({3, 10}).to(at::kHalf), out = at::empty({3, 5}, at::kHalf);
  swiglu_forward(ff, out);
  const at::Tensor wide = ff.to(at::kDouble);
  const at::Tensor expected = at::silu(wide.narrow(1, 0, 5)) * wide.narrow(1, 5, 5);
  EXPECT_LT(relative_error(out, expected), 1e-3);
  EXPECT_THROW(swiglu_forward(ff, out, Kernels::own), ConfigError);
}

TEST(Ways, TakeThePlainOneForOddHeads) {
  const PackedSequences sequences = build_packed_sequences(at::tensor({3, 4}, at::kInt), at::kCPU);
  const at::Tensor x = at::randn({7, 2, 5}), out = at::empty({7, 2, 5}),
                   logsumexp = at::empty({2, 7});
  const AttentionInputs inputs{x, x, x, {}, {}, &sequences, 0, AttentionDirection::bidirectional};
  attention_forward(inputs, out, logsumexp);
  const at::Tensor head = x.narrow(0, 0, 3).select(1, 0);
  const at::Tensor expected = at::softmax(at::mm(head, head.t()) / std::sqrt(5.0), 1).mm(head);
  EXPECT_LT(relative_error(out.narrow(0, 0, 3).select(1, 0), expected), 1e-5);
}

TEST(Ways, AreNamed) {
  for (const char* name : {"auto", "plain", "own"}) EXPECT_EQ(to_text(to_kernels(name)), name);
  EXPECT_THROW(to_kernels("fast"), ConfigError);
}

TEST(Ways, GoThePlainOneForWhatWasRefused) {
  Ways ways;
  ways.refuse(Operation::norm, at::kBFloat16);
  const at::Tensor x = at::empty({1}), rounded = at::empty({1}, at::kBFloat16);
  EXPECT_EQ(&ways.table(Operation::norm, rounded), &plain_kernels());
  EXPECT_EQ(&ways.table(Operation::norm, x), &cpu_kernels());
  EXPECT_EQ(&ways.table(Operation::gated_product, rounded), &cpu_kernels());
  EXPECT_EQ(&Ways(Kernels::plain).table(Operation::norm, x), &plain_kernels());
}

}  // namespace
}  // namespace sequela
