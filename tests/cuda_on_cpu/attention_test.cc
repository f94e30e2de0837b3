// Attention with rotary embedding; torch's flash attention is stood in for by flash_attention.cc.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/nn/attention.h"
#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/cuda/tensors.h"
#include "sequela/nn/kernels/attention_kernels.h"
#include "tests/cuda_on_cpu/twin.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

using cuda_on_cpu::expect_twins;
using cuda_on_cpu::in_every_order;
using cuda_on_cpu::in_guarded_rows;
using cuda_on_cpu::row_error;
using cuda_on_cpu::Tensors;

// x rotated by torch's own complex products, in double.
at::Tensor rotated(const at::Tensor& x_THD, const at::Tensor& cosines, const at::Tensor& sines) {
  const at::Tensor pairs =
      at::view_as_complex(x_THD.to(at::kDouble).contiguous().unflatten(2, {x_THD.size(2) / 2, 2}));
  const at::Tensor turns = at::complex(cosines.to(at::kDouble), sines.to(at::kDouble));
  return at::view_as_real(pairs * turns.unsqueeze(1)).flatten(2);
}

void check_rotation(at::ScalarType type, int64_t tokens, int64_t heads, int64_t size) {
  at::manual_seed(11);
  const at::Tensor x = in_guarded_rows(random_values({tokens, heads, size}, 1, type), 24);
  const at::Tensor cosines = at::empty({tokens, size / 2}), sines = at::empty_like(cosines);
  at::Tensor cosines_out = cosines, sines_out = sines;
  fill_rotary_tables(at::rand({tokens}) * 30, cosines_out, sines_out);
  for (const float direction : {1.0f, -1.0f}) {
    const auto runs = in_every_order([&] {
      const at::Tensor to = in_guarded_rows(at::zeros({tokens, heads, size}, type), 16);
      cuda_rotate({x.data_ptr(), x.stride(0), to.data_ptr(), to.stride(0), floats_of(cosines),
                   floats_of(sines), tokens, heads, size, direction},
                  value_of(x), nullptr);
      return to;
    });
    for (const at::Tensor& run : runs) EXPECT_TRUE(run.equal(runs[0]));
    EXPECT_LT(row_error(runs[0], rotated(x, cosines, direction * sines)), 1e-6);
  }
}

TEST(CudaOnCpuAttention, RotatesAsComplexNumbersDo) {
  for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const int64_t tokens : {0, 1, 63, 64, 65, 4096}) {
      SCOPED_TRACE(str(cuda_on_cpu::name_of(type), ", ", tokens, " tokens"));
      check_rotation(type, tokens, 3, 8);
      if (tokens <= 65) check_rotation(type, tokens, 1, 2);
      if (tokens <= 65) check_rotation(type, tokens, 5, 130);
    }
  }
}

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
                   logsumexp = at::zeros({grad_out.size(1), grad_out.size(0)});
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

void check(const Case& c) {
  at::manual_seed(11);
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  const int64_t tokens = sequences.num_tokens();
  const auto values = [&](int64_t extra) {
    return in_guarded_rows(random_values({tokens, c.heads, c.head_size}, 1, at::kBFloat16), extra);
  };
  AttentionInputs inputs{values(24), values(40), values(8), {},
                         {},         &sequences, c.window,  c.direction};
  if (c.is_rotated) {
    inputs.cos_TR = at::empty({tokens, c.head_size / 2});
    inputs.sin_TR = at::empty_like(inputs.cos_TR);
    fill_rotary_tables(at::rand({tokens}) * 30, inputs.cos_TR, inputs.sin_TR);
  }
  const at::Tensor grad_out = values(32);
  expect_twins(
      [&] {
        return run_attention(inputs, grad_out, attention_forward_cuda, attention_backward_cuda);
      },
      [&] { return run_reference(inputs, grad_out); }, {1e-2, 1e-2, 1e-2, 1e-2, 1e-2});
}

TEST(CudaOnCpuAttention, EqualsTheReference) {
  for (size_t i = 0; i < kCases.size(); ++i) {
    SCOPED_TRACE(str("case ", i));
    check(kCases[i]);
  }
}

TEST(CudaOnCpuAttention, RefusesFloat32) {
  const PackedSequences sequences = build_packed_sequences(at::tensor({3}, at::kInt), at::kCPU);
  const at::Tensor x = at::zeros({3, 1, 8});
  EXPECT_THROW(attention_forward_cuda({x, x, x, {}, {}, &sequences, 2}, x, at::zeros({1, 3})),
               ConfigError);
}

}  // namespace
}  // namespace sequela
