#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <optional>

#include "sequela/nn/sequences.h"

namespace sequela {

// Bidirectional attention that makes the probabilities: for inspection, dropout and head sizes that
// the kernels do not take. Plain tensor operations, sequence by sequence; differentiable.
//
//   S = sequences, T = tokens, A = heads, L = longest sequence, H = A * head size
struct DenseAttention {
  int64_t num_heads = 1;
  at::Tensor key_mask_T;  // bool; undefined: all tokens are keys
  double dropout = 0;     // of the probabilities; needs a generator
  std::optional<at::Generator> generator;
  bool keeps_probabilities = false;
};

struct DenseAttentionOutput {
  at::Tensor context_TH;
  at::Tensor probabilities_SALL;  // before dropout, 0 outside a sequence; undefined unless kept
};

DenseAttentionOutput dense_attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences,
                                     const DenseAttention& options);

}  // namespace sequela
