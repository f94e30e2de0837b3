#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "sequela/nn/sequences.h"

namespace sequela {

// Bidirectional attention of packed sequences with dropout of its probabilities, differentiable:
// [T, 3H] -> [T, H], float32. Probabilities are made for a few heads of a sequence at a time and
// again in the backward pass, so that memory holds those of one sequence a thread. What is dropped
// depends on `seed` and the numbers of sequence and head alone, on every device.
at::Tensor dropout_attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences,
                             int64_t num_heads, double dropout, uint64_t seed);

}  // namespace sequela
