#pragma once

#include "sequela/nn/kernels/row_ops.h"
#include "sequela/nn/token_embedding.h"

namespace sequela {

// The versions of token_embedding.h's functions; arguments are checked already and lie on the CPU.

void embedding_bag_forward_reference(const at::Tensor& table_VH, const at::Tensor& ids_N,
                                     const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                     const at::Tensor& out_TH);
void embedding_bag_backward_reference(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                                      const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                      const at::Tensor& grad_table_VH);

void embedding_bag_forward_rows(const RowOps& ops, const at::Tensor& table_VH,
                                const at::Tensor& ids_N, const at::Tensor& weights_N,
                                const at::Tensor& offsets_T1, const at::Tensor& out_TH);
void embedding_bag_backward_rows(const RowOps& ops, const at::Tensor& grad_out_TH,
                                 const at::Tensor& ids_N, const at::Tensor& weights_N,
                                 const at::Tensor& offsets_T1, const at::Tensor& grad_table_VH);

}  // namespace sequela
