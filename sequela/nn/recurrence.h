#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/nn/sequences.h"
#include "sequela/nn/ways.h"

namespace sequela {

// The core of a hawk layer, between its input and its output projection.
//
//   T = tokens, W = width, N = gate blocks (heads), B = W / N
//
//   u_t  = conv_bias + sum_i conv_weight[i] * x_(t-3+i), i = 0..3, zero before the sequence's start
//   r_t  = sigmoid(u_t A + a_gate_bias), g_t = sigmoid(u_t I + input_gate_bias)   (block-diagonal,
//   u on the left) a_t  = exp(-8 r_t softplus(a_param)); 0 at a sequence's start s_t  = a_t s_(t-1)
//   + u_t g_t m_t, m_t = sqrt(1 - a_t^2), 1 at a sequence's start out_t = s_t * gelu_tanh(y_t)
//
// The derivative of the square root is bounded by 1000. x, y, out and their gradients are float32
// or bfloat16 [T, W] views with any row stride and unit column stride. Parameters are float32. Sums
// are float32.
//
// Tiling: one pass per block of channels and 64 tokens, one block of channels per task; backward
// recomputes a chunk from the state before it, saved by forward every kHawkChunk tokens.
//
// Source: Griffin, arXiv:2402.19427; the values are those of torch_hawk 0.0.8. Reference:
// kernels/hawk_reference.cc.
inline constexpr int64_t kHawkChunk = 64;

struct HawkParameters {
  at::Tensor conv_weight_4W;  // row 3 meets the current token
  at::Tensor conv_bias_W;
  at::Tensor input_gate_weight_NBB;  // [block, in, out]
  at::Tensor input_gate_bias_NB;
  at::Tensor a_gate_weight_NBB;
  at::Tensor a_gate_bias_NB;
  at::Tensor a_param_W;
};

// The number of rows of saved_states_CW: T / kHawkChunk, rounded up.
int64_t num_hawk_chunks(int64_t num_tokens);

// saved_states_CW: float32 [num_hawk_chunks(T), W], contiguous; row c is the state before token c *
// kHawkChunk.
void hawk_forward(const at::Tensor& x_TW, const at::Tensor& y_TW, const HawkParameters& parameters,
                  const PackedSequences& sequences, const at::Tensor& out_TW,
                  const at::Tensor& saved_states_CW, const Ways& ways = {});

// Overwrites grad_x and grad_y; adds to the parameters' gradients (float32, shapes as the
// parameters).
void hawk_backward(const at::Tensor& x_TW, const at::Tensor& y_TW, const HawkParameters& parameters,
                   const PackedSequences& sequences, const at::Tensor& saved_states_CW,
                   const at::Tensor& grad_out_TW, const at::Tensor& grad_x_TW,
                   const at::Tensor& grad_y_TW, const HawkParameters& gradients,
                   const Ways& ways = {});

}  // namespace sequela
