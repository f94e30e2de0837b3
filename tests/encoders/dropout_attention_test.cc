#include "sequela/encoders/ops/dropout_attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/random.h"
#include "sequela/encoders/ops/differentiable_linear.h"
#include "sequela/encoders/ops/dropout_mask.h"
#include "tests/support/threads.h"

namespace sequela {
namespace {

constexpr int64_t kHeads = 6, kSize = 4, kHidden = kHeads * kSize;

// The same by plain operations under autograd, with the same masks.
at::Tensor plain_attention(const at::Tensor& qkv_T3H, const std::vector<int64_t>& lengths,
                           double dropout, uint64_t seed) {
  std::vector<at::Tensor> contexts;
  int64_t start = 0;
  for (size_t s = 0; s < lengths.size(); ++s) {
    const int64_t length = lengths[s];
    const at::Tensor qkv =
        qkv_T3H.narrow(0, start, length).reshape({length, 3, kHeads, kSize}).permute({1, 2, 0, 3});
    const at::Tensor scores = at::matmul(qkv[0], qkv[1].transpose(1, 2)) / std::sqrt(kSize);
    at::Tensor mask = at::empty({kHeads, length, length});
    for (int64_t h = 0; h < kHeads; ++h)
      fill_dropout_mask(mask[h], dropout, hash_key(hash_key(seed, s), static_cast<uint64_t>(h)));
    contexts.push_back(at::matmul(at::softmax(scores, -1) * mask, qkv[2])
                           .transpose(0, 1)
                           .reshape({length, kHidden}));
    start += length;
  }
  return at::cat(contexts);
}

// What other devices than the CPU compute is the same, bit for bit.
TEST(DropoutMask, IsTheSameInTorchsOperations) {
  for (const int64_t size : {1, 4, 255, 256, 257, 5000}) {
    for (const uint64_t key : {uint64_t{0}, uint64_t{11}, ~uint64_t{0}}) {
      const at::Tensor own = at::empty({size}), plain = at::empty({size});
      fill_dropout_mask(own, 0.3, key);
      fill_dropout_mask_plain(plain, 0.3, key);
      EXPECT_TRUE(own.equal(plain)) << size << " of key " << key;
    }
  }
}

TEST(DropoutAttention, EqualsPlainOperationsAndTheirGradients) {
  at::manual_seed(3);
  const std::vector<int64_t> lengths = {5, 1, 17};
  const at::Tensor values = at::randn({23, 3 * kHidden}), weights = at::randn({23, kHidden});
  at::Tensor ours = values.clone().requires_grad_(true);
  at::Tensor plain = values.clone().requires_grad_(true);
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(lengths, at::kLong), at::kCPU);
  const at::Tensor out = dropout_attention(ours, sequences, kHeads, 0.3, 11);
  const at::Tensor expected = plain_attention(plain, lengths, 0.3, 11);
  EXPECT_TRUE(at::allclose(out, expected, 1e-5, 1e-6));
  (out * weights).sum().backward();
  (expected * weights).sum().backward();
  EXPECT_TRUE(at::allclose(ours.grad(), plain.grad(), 1e-4, 1e-5));
}

TEST(DropoutAttention, DoesNotDependOnTheNumberOfThreads) {
  const at::Tensor values = at::randn({360, 3 * kHidden}), weights = at::randn({360, kHidden});
  const PackedSequences sequences =
      build_packed_sequences(at::tensor({200, 1, 159}, at::kLong), at::kCPU);
  expect_same_for_any_threads([&] {
    const at::Tensor leaf = values.clone().requires_grad_(true);
    const at::Tensor out = dropout_attention(leaf, sequences, kHeads, 0.3, 11);
    (out * weights).sum().backward();
    return std::vector{out.detach(), leaf.grad()};
  });
}

TEST(DropoutAttention, MasksAreKeyedAndUnbiased) {
  at::Tensor mask = at::empty({1'000, 333}), again = at::empty({1'000, 333});
  fill_dropout_mask(mask, 0.1, 5);
  fill_dropout_mask(again, 0.1, 5);
  EXPECT_TRUE(at::equal(mask, again));
  EXPECT_NEAR(mask.mean().item<double>(), 1, 4e-3);
  EXPECT_NEAR(mask.eq(0).to(at::kFloat).mean().item<double>(), 0.1, 2e-3);
  fill_dropout_mask(again, 0.1, 6);
  const double both = mask.eq(0).logical_and(again.eq(0)).to(at::kFloat).mean().item<double>();
  EXPECT_NEAR(both, 0.01, 1e-3);
}

TEST(Bf16Linear, IsNearFloat32) {
  at::manual_seed(4);
  at::Tensor x = at::randn({50, 32}).requires_grad_(true);
  at::Tensor weight = at::randn({16, 32}).requires_grad_(true);
  at::Tensor bias = at::randn({16}).requires_grad_(true);
  const at::Tensor out_grad = at::randn({50, 16});
  const auto gradients = [&](const at::Tensor& out) {
    for (at::Tensor* leaf : {&x, &weight, &bias}) leaf->mutable_grad() = at::Tensor();
    (out * out_grad).sum().backward();
    return std::vector<at::Tensor>{out.detach(), x.grad(), weight.grad(), bias.grad()};
  };
  const auto exact = gradients(at::linear(x, weight, bias));
  const auto narrow =
      gradients(differentiable_linear(x, weight, bias, {.products = at::kBFloat16}));
  for (size_t i = 0; i < exact.size(); ++i) {
    EXPECT_EQ(narrow[i].scalar_type(), at::kFloat);
    EXPECT_LT((narrow[i] - exact[i]).norm().item<double>(), 1e-2 * exact[i].norm().item<double>());
  }
}

}  // namespace
}  // namespace sequela
