// Attention with rotary embedding; torch's flash attention is stood in for by flash_attention.cc.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/nn/attention.h"
#include "sequela/nn/kernels/attention_kernels.h"
#include "tests/cuda_on_cpu/rotated.h"
#include "tests/cuda_on_cpu/twin.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

using cuda_on_cpu::device;
using cuda_on_cpu::expect_twins;
using cuda_on_cpu::in_guarded_rows;
using cuda_on_cpu::kernels;
using cuda_on_cpu::rotated;
using cuda_on_cpu::rounding;
using cuda_on_cpu::Tensors;

struct Case {
  std::vector<int> lengths;
  int64_t heads, head_size, window;
  AttentionDirection direction = AttentionDirection::causal;
  bool is_rotated = true;
};

const std::vector<Case> kCases = {
    {{1}, 1, 8, 4},
    {{1, 1, 1}, 2, 16, 1},
    {{63, 1, 64, 65}, 3, 64, 20},
    {{130, 257}, 2, 32, 496},
    {{5, 3, 7, 9, 2, 60, 8}, 2, 8, 0, AttentionDirection::bidirectional, false},
    {{63, 1, 64, 65}, 1, 64, 0, AttentionDirection::bidirectional},
};

template <class Forward, class Backward>
Tensors run_attention(const AttentionInputs& inputs, const at::Tensor& grad_out, Forward forward,
                      Backward backward) {
  const at::Tensor out = in_guarded_rows(at::zeros_like(grad_out), 16),
                   logsumexp = at::zeros({grad_out.size(1), grad_out.size(0)},
                                         grad_out.options().dtype(at::kFloat));
  const auto gradient = [&] { return in_guarded_rows(at::ones_like(grad_out), 24); };
  const AttentionGradients gradients{gradient(), gradient(), gradient()};
  forward(inputs, out, logsumexp);
  backward(inputs, out, logsumexp, grad_out, gradients);
  return {out, logsumexp, gradients.q_THD, gradients.k_THD, gradients.v_THD};
}

// The reference on queries and keys that are rotated beforehand, in bfloat16, as flash attention
// takes them.
Tensors run_reference(AttentionInputs inputs, const at::Tensor& grad_out) {
  const at::Tensor cosines = inputs.cos_TR, sines = inputs.sin_TR;
  inputs.cos_TR = inputs.sin_TR = at::Tensor();
  if (cosines.defined()) {
    inputs.q_THD = rotated(inputs.q_THD, cosines, sines).to(at::kBFloat16);
    inputs.k_THD = rotated(inputs.k_THD, cosines, sines).to(at::kBFloat16);
  }
  Tensors results =
      run_attention(inputs, grad_out, attention_forward_reference, attention_backward_reference);
  for (size_t i = 2; i < 4 && cosines.defined(); ++i)
    results[i] = rotated(results[i], cosines, -sines);
  return results;
}

// A case's tensors; the same values on any device.
struct AttentionCase {
  PackedSequences sequences;
  AttentionInputs inputs;
  at::Tensor grad_out;

  AttentionCase(const Case& c, at::Device on)
      : sequences(build_packed_sequences(at::tensor(c.lengths, at::kInt), on)) {
    at::manual_seed(11);
    const int64_t tokens = sequences.num_tokens();
    const auto values = [&](int64_t extra) {
      const at::Tensor x = random_values({tokens, c.heads, c.head_size}, 1, at::kBFloat16);
      return in_guarded_rows(x.to(on), extra);
    };
    inputs = {values(24), values(40), values(8), {}, {}, &sequences, c.window, c.direction};
    if (c.is_rotated) {
      inputs.cos_TR = at::empty({tokens, c.head_size / 2});
      inputs.sin_TR = at::empty_like(inputs.cos_TR);
      fill_rotary_tables(at::rand({tokens}) * 30, inputs.cos_TR, inputs.sin_TR);
      inputs.cos_TR = inputs.cos_TR.to(on);
      inputs.sin_TR = inputs.sin_TR.to(on);
    }
    grad_out = values(32);
  }
  AttentionCase(const AttentionCase&) = delete;
};

void check(const Case& c) {
  const AttentionCase on_device(c, device()), same(c, at::kCPU);
  expect_twins(
      [&] {
        return run_attention(on_device.inputs, on_device.grad_out, kernels().attention_forward,
                             kernels().attention_backward);
      },
      [&] { return run_reference(same.inputs, same.grad_out); },
      std::vector<double>(5, 1e-2 * rounding()));
}

TEST(CudaAttention, EqualsTheReference) {
  for (size_t i = 0; i < kCases.size(); ++i) {
    SCOPED_TRACE(str("case ", i));
    check(kCases[i]);
  }
}

}  // namespace
}  // namespace sequela
