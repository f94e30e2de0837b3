#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/nn/sequences.h"
#include "sequela/nn/ways.h"

namespace sequela {

// Attention within packed sequences: causal and limited to the last `window` tokens, with rotary
// embedding by age fused in, as in MOTOR; or bidirectional over whole sequences, as in BERT.
//
//   T = tokens, H = heads, D = head size (even if rotated), R = D / 2
//
// Token i attends to the tokens j of its own sequence: causal with i - window < j <= i,
// bidirectional to all. Scores are scaled by 1/sqrt(D). q and k are rotated on the fly: (x[2r],
// x[2r+1]) -> (x[2r] cos - x[2r+1] sin, x[2r+1] cos + x[2r] sin).
//
// q, k, v and their gradients are float32 or bfloat16 [T, H, D] views with any row stride and unit
// stride within a head (columns of the fused projection); no copy is made. Sums and the softmax are
// float32 in both cases.
//
// Tiling: one task is 64 queries of one head; it visits only the key tiles that the window and the
// sequences reach (9 for a window of 496). Cost 4 T D H window operations forward, 10 backward;
// scratch is a few tiles per thread. Many short sequences share a tile and cost little
// more than their tokens. Backward needs the output and the logsumexp only, never the
// scores.
//
// Source: local mask of xformers' BlockDiagonalMask.make_local_attention, as femr uses it; flash
// attention 2, arXiv:2307.08691. Reference: kernels/attention_reference.cc.
enum class AttentionDirection { causal, bidirectional };

struct AttentionInputs {
  at::Tensor q_THD;
  at::Tensor k_THD;
  at::Tensor v_THD;
  at::Tensor cos_TR;  // float32, contiguous; undefined = no rotation (the same for sin_TR)
  at::Tensor sin_TR;
  const PackedSequences* sequences = nullptr;
  int64_t window = 0;  // tokens, self included; >= 1; bidirectional: not used
  AttentionDirection direction = AttentionDirection::causal;
};

struct AttentionGradients {
  at::Tensor q_THD;  // overwritten; same layout rules as the inputs
  at::Tensor k_THD;
  at::Tensor v_THD;
};

// cos and sin of 10000^(-linspace(0, 2, R)) * age, float32 [T, R], into tensors that exist.
void fill_rotary_tables(const at::Tensor& ages_days_T, at::Tensor& cos_TR, at::Tensor& sin_TR);

// out_THD: [T, H, D] view like q (any row stride); logsumexp_HT: float32 [H, T], contiguous.
// Throws std::invalid_argument if shapes, types or strides differ from the above. `ways`: the plain
// one also takes float16 and float64.
void attention_forward(const AttentionInputs& inputs, const at::Tensor& out_THD,
                       const at::Tensor& logsumexp_HT, const Ways& ways = {});

void attention_backward(const AttentionInputs& inputs, const at::Tensor& out_THD,
                        const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                        const AttentionGradients& gradients, const Ways& ways = {});

}  // namespace sequela
