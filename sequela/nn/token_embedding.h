#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/nn/ways.h"

namespace sequela {

// Sum of a token's bag of embeddings, each times its weight.
//
//   V = vocabulary, H = hidden size, T = tokens, N = bag entries
//
//   table_VH    float32, contiguous
//   ids_N       int32, in [0, V)
//   weights_N   float32; undefined = 1 for all
//   offsets_T1  int32; token t owns entries [offsets[t], offsets[t + 1]). Undefined = one entry per
//   token.
//
// Throws std::invalid_argument for wrong shapes or types, and for an id outside the table.
// Reference: kernels/embedding_reference.cc.
void embedding_bag_forward(const at::Tensor& table_VH, const at::Tensor& ids_N,
                           const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                           const at::Tensor& out_TH, const Ways& ways = {});

// grad_table_VH (float32) += the gradient; grad_out_TH float32. Entries are ordered by id first (a
// counting sort), then each id's rows are summed in the order of the tokens: the result does not
// depend on the number of threads.
void embedding_bag_backward(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                            const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                            const at::Tensor& grad_table_VH, const Ways& ways = {});

}  // namespace sequela
