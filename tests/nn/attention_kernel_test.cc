#include "sequela/nn/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "tests/nn/kernel_support.h"
#include "tests/support/npz.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

struct Case {
  std::vector<int> lengths;
  int64_t heads, head_size, window;
  AttentionDirection direction = AttentionDirection::causal;
};

constexpr AttentionDirection kBoth = AttentionDirection::bidirectional;

const std::vector<Case> kCases = {
    {{1}, 1, 8, 4},
    {{1, 1, 1}, 2, 16, 1},
    {{5, 3, 7}, 2, 8, 3},
    {{200}, 2, 64, 496},
    {{63, 1, 64, 65}, 3, 64, 20},
    {{130, 257}, 2, 64, 64},
    {{300, 2, 77}, 2, 32, 65},
    {{700}, 1, 64, 130},
    {{1}, 1, 8, 0, kBoth},
    {{1, 1, 1}, 2, 16, 0, kBoth},
    {{5, 3, 7, 9, 2, 60, 8}, 2, 8, 0, kBoth},
    {{5, 3, 7, 9, 2, 60, 8, 1, 64, 64, 10, 300}, 3, 64, 0, kBoth},
    {{130, 257}, 2, 32, 0, kBoth},
    {{64, 128}, 2, 16, 0, kBoth},
    {{3, 2100, 1}, 1, 64, 0, kBoth},
};

// True where the query (row) may attend to the key (column).
at::Tensor dense_mask(const PackedSequences& sequences, const Case& c) {
  const int64_t tokens = sequences.num_tokens();
  at::Tensor mask = at::zeros({tokens, tokens}, at::kBool);
  auto values = mask.accessor<bool, 2>();
  for (int64_t i = 0; i < tokens; ++i) {
    for (int64_t j = 0; j < tokens; ++j) {
      values[i][j] = sequences.token_starts[i] == sequences.token_starts[j] &&
                     (c.direction == kBoth || (j <= i && j > i - c.window));
    }
  }
  return mask;
}

at::Tensor rotated(const at::Tensor& x_THD, const at::Tensor& ages_T) {
  const at::Tensor frequency = at::pow(10000, -at::linspace(0, 2, x_THD.size(2) / 2, at::kDouble));
  const at::Tensor angle = (ages_T.to(at::kDouble).unsqueeze(1) * frequency).unsqueeze(1);
  const at::Tensor pairs = x_THD.unflatten(2, {-1, 2});
  const at::Tensor first = pairs.select(3, 0), second = pairs.select(3, 1);
  return at::stack({first * angle.cos() - second * angle.sin(),
                    second * angle.cos() + first * angle.sin()},
                   3)
      .flatten(2);
}

struct Dense {
  at::Tensor q, k, v, out, logsumexp;

  Dense(const at::Tensor& q_in, const at::Tensor& k_in, const at::Tensor& v_in,
        const at::Tensor& ages, const PackedSequences& sequences, const Case& c)
      : q(leaf(q_in)), k(leaf(k_in)), v(leaf(v_in)) {
    const at::Tensor q_HTD = rotated(q, ages).transpose(0, 1),
                     k_HTD = rotated(k, ages).transpose(0, 1);
    at::Tensor scores = at::matmul(q_HTD, k_HTD.transpose(1, 2)) / std::sqrt(double(q.size(2)));
    scores = scores.masked_fill(~dense_mask(sequences, c), -INFINITY);
    logsumexp = at::logsumexp(scores, {2});
    out = at::matmul(at::softmax(scores, 2), v.transpose(0, 1)).transpose(0, 1);
  }
};

void check_against_dense(const Case& c, at::ScalarType type) {
  at::manual_seed(11);
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  const int64_t tokens = sequences.num_tokens();
  const std::vector<int64_t> shape = {tokens, c.heads, c.head_size};
  const at::Tensor q = in_wider_rows(random_values(shape, 1, type), 24);
  const at::Tensor k = in_wider_rows(random_values(shape, 1, type), 40);
  const at::Tensor v = in_wider_rows(random_values(shape, 1, type), 8);
  const at::Tensor ages = at::rand({tokens}) * 30;
  at::Tensor cosine = at::empty({tokens, c.head_size / 2}), sine = at::empty_like(cosine);
  fill_rotary_tables(ages, cosine, sine);
  const AttentionInputs inputs{q, k, v, cosine, sine, &sequences, c.window, c.direction};

  const Dense dense(q, k, v, ages, sequences, c);
  at::Tensor out = in_wider_rows(at::zeros(shape, type), 16);
  at::Tensor logsumexp = at::zeros({c.heads, tokens});
  attention_forward(inputs, out, logsumexp);
  EXPECT_LT(relative_error(out, dense.out), tolerance(type));
  EXPECT_LT(relative_error(logsumexp, dense.logsumexp), tolerance(type));

  const at::Tensor grad_out = in_wider_rows(random_values(shape, 1, type), 32);
  dense.out.backward(grad_out.to(at::kDouble));
  AttentionGradients gradients{in_wider_rows(at::ones(shape, type), 24),
                               in_wider_rows(at::ones(shape, type), 24),
                               in_wider_rows(at::ones(shape, type), 24)};
  attention_backward(inputs, out, logsumexp, grad_out, gradients);
  EXPECT_LT(relative_error(gradients.q_THD, dense.q.grad()), tolerance(type));
  EXPECT_LT(relative_error(gradients.k_THD, dense.k.grad()), tolerance(type));
  EXPECT_LT(relative_error(gradients.v_THD, dense.v.grad()), tolerance(type));
}

TEST(AttentionKernel, EqualsDenseAttentionAndItsGradients) {
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

class AttentionMask : public OnReference {};

TEST_P(AttentionMask, AttendsExactlyWhereTheLocalMaskOfThePeerSays) {
  const NpyArray<uint8_t> mask = read_npy<uint8_t>(reference_path("motor/local_mask_5_3_7_w3.npy"));
  const PackedSequences sequences =
      build_packed_sequences(at::tensor({5, 3, 7}, at::kInt), at::kCPU);
  const int64_t tokens = 15;
  ASSERT_EQ(mask.size(), tokens * tokens);
  // With q = 0 all weights of a row are equal; v = unit vectors shows them.
  const at::Tensor zeros = at::zeros({tokens, 1, 16});
  const at::Tensor v = at::eye(tokens, 16).unsqueeze(1).contiguous();
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    at::Tensor out = at::empty({tokens, 1, 16}), logsumexp = at::empty({1, tokens});
    attention_forward({zeros, zeros, v, {}, {}, &sequences, 3}, out, logsumexp);
    for (int64_t i = 0; i < tokens; ++i) {
      for (int64_t j = 0; j < tokens; ++j) {
        EXPECT_EQ(out[i][0][j].item<float>() > 0, mask.values[i * tokens + j] != 0)
            << i << ", " << j;
      }
    }
  }
}

// Cutting a head into segments revisits key tiles; the sums must stay the same, bit for bit.
TEST(AttentionKernel, DoesNotDependOnTheNumberOfThreads) {
  at::manual_seed(8);
  const int64_t tokens = 2600, size = 64;
  const PackedSequences sequences =
      build_packed_sequences(at::tensor({900, 1700}, at::kInt), at::kCPU);
  for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = random_values({4, tokens, 1, size}, 1, type);
    for (AttentionDirection direction : {AttentionDirection::causal, kBoth}) {
      const AttentionInputs inputs{x[0], x[1], x[2], {}, {}, &sequences, 130, direction};
      expect_same_for_any_threads([&] {
        const at::Tensor out = at::zeros_like(x[3]), logsumexp = at::zeros({1, tokens});
        const AttentionGradients gradients{at::zeros_like(out), at::zeros_like(out),
                                           at::zeros_like(out)};
        attention_forward(inputs, out, logsumexp);
        attention_backward(inputs, out, logsumexp, x[3], gradients);
        return std::vector{out, gradients.q_THD, gradients.k_THD, gradients.v_THD};
      });
    }
  }
}

TEST(AttentionKernel, TakesNoTokens) {
  const PackedSequences sequences = build_packed_sequences(at::empty({0}, at::kInt), at::kCPU);
  const at::Tensor nothing = at::empty({0, 2, 64});
  attention_forward({nothing, nothing, nothing, {}, {}, &sequences, 3}, nothing, at::empty({2, 0}));
  attention_backward({nothing, nothing, nothing, {}, {}, &sequences, 3}, nothing, at::empty({2, 0}),
                     nothing, {nothing, nothing, nothing});
}

TEST(AttentionKernel, RefusesWrongShapes) {
  const PackedSequences sequences = build_packed_sequences(at::tensor({2}, at::kInt), at::kCPU);
  const at::Tensor x = at::zeros({3, 2, 8});
  EXPECT_THROW(attention_forward({x, x, x, {}, {}, &sequences, 3}, x, at::zeros({2, 3})),
               std::invalid_argument);
}

SEQUELA_ON_REFERENCES(AttentionMask);

}  // namespace
}  // namespace sequela
