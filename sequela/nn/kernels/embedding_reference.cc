// Plain bag sums by ATen, on any device; on a GPU these operations neither wait nor use atomics.

#include <ATen/ATen.h>

#include "sequela/nn/kernels/embedding_kernels.h"

namespace sequela {
namespace {

// The token of each bag entry, int64 [N].
at::Tensor token_of_entry(const at::Tensor& ids_N, const at::Tensor& offsets_T1) {
  if (!offsets_T1.defined()) return at::arange(ids_N.size(0), ids_N.options().dtype(at::kLong));
  const at::Tensor offsets = offsets_T1.to(at::kLong);
  const at::Tensor sizes = offsets.slice(0, 1) - offsets.slice(0, 0, -1);
  return at::repeat_interleave(sizes, std::optional<int64_t>(ids_N.size(0)));
}

at::Tensor weighted(const at::Tensor& rows, const at::Tensor& weights_N) {
  return weights_N.defined() ? rows * weights_N.unsqueeze(1) : rows;
}

}  // namespace

void embedding_bag_forward_reference(const at::Tensor& table_VH, const at::Tensor& ids_N,
                                     const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                     const at::Tensor& out_TH) {
  if (!offsets_T1.defined()) {
    out_TH.copy_(weighted(table_VH.index_select(0, ids_N), weights_N));
    return;
  }
  const std::optional<at::Tensor> weights =
      weights_N.defined() ? std::optional(weights_N) : std::nullopt;
  out_TH.copy_(std::get<0>(at::_embedding_bag_forward_only(
      table_VH, ids_N, offsets_T1, /*scale_grad_by_freq=*/false, /*mode: sum*/ 0,
      /*sparse=*/false, weights, /*include_last_offset=*/true)));
}

void embedding_bag_backward_reference(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                                      const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                      const at::Tensor& grad_table_VH) {
  const at::Tensor rows = grad_out_TH.index_select(0, token_of_entry(ids_N, offsets_T1));
  grad_table_VH.add_(at::embedding_dense_backward(weighted(rows, weights_N), ids_N.to(at::kLong),
                                                  grad_table_VH.size(0), /*padding_idx=*/-1,
                                                  /*scale_grad_by_freq=*/false));
}

}  // namespace sequela
