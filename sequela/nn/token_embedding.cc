#include "sequela/nn/token_embedding.h"

#include <ATen/ATen.h>

#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/nn/kernels/check.h"
#include "sequela/nn/kernels/cpu_kernels.h"
#include "sequela/nn/kernels/elementwise_kernels.h"
#include "sequela/nn/kernels/embedding_kernels.h"

namespace sequela {
namespace {

void check_bags(const at::Tensor& ids_N, const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                int64_t tokens, int64_t vocabulary) {
  check_tensor("ids_N", ids_N, {-1}, {at::kInt});
  if (weights_N.defined()) check_tensor("weights_N", weights_N, {ids_N.size(0)}, {at::kFloat});
  if (offsets_T1.defined())
    check_tensor("offsets_T1", offsets_T1, {tokens + 1}, {at::kInt});
  else
    check_tensor("ids_N", ids_N, {tokens}, {at::kInt});
  if (!ids_N.is_cpu()) return;
  const int32_t* ids = ids_N.const_data_ptr<int32_t>();
  for (int64_t i = 0; i < ids_N.size(0); ++i) {
    if (ids[i] >= 0 && ids[i] < vocabulary) continue;
    throw std::invalid_argument(
        str("bag entry ", i, " has id ", ids[i], ", the table has ", vocabulary, " rows"));
  }
  if (!offsets_T1.defined()) return;
  const int32_t* offsets = offsets_T1.const_data_ptr<int32_t>();
  bool is_valid = offsets[0] == 0 && offsets[tokens] == ids_N.size(0);
  for (int64_t t = 0; t < tokens; ++t) is_valid &= offsets[t] <= offsets[t + 1];
  if (!is_valid)
    throw std::invalid_argument("the bags' offsets do not cover their entries in order");
}

}  // namespace

void embedding_bag_forward(const at::Tensor& table_VH, const at::Tensor& ids_N,
                           const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                           const at::Tensor& out_TH, const Ways& ways) {
  check_tensor("table_VH", table_VH, {-1, -1}, {at::kFloat});
  check_tensor("out_TH", out_TH, {-1, table_VH.size(1)}, {at::kFloat});
  check_bags(ids_N, weights_N, offsets_T1, out_TH.size(0), table_VH.size(0));
  ways.table(Operation::embedding_bag, table_VH)
      .embedding_bag_forward(table_VH, ids_N, weights_N, offsets_T1, out_TH);
}

void embedding_bag_forward_cpu(const at::Tensor& table_VH, const at::Tensor& ids_N,
                               const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                               const at::Tensor& out_TH) {
  if (const RowOps* ops = row_ops_in_use()) {
    return embedding_bag_forward_rows(*ops, table_VH, ids_N, weights_N, offsets_T1, out_TH);
  }
  embedding_bag_forward_reference(table_VH, ids_N, weights_N, offsets_T1, out_TH);
}

void embedding_bag_backward(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                            const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                            const at::Tensor& grad_table_VH, const Ways& ways) {
  check_tensor("grad_table_VH", grad_table_VH, {-1, -1}, {at::kFloat});
  check_tensor("grad_out_TH", grad_out_TH, {-1, grad_table_VH.size(1)}, {at::kFloat});
  check_bags(ids_N, weights_N, offsets_T1, grad_out_TH.size(0), grad_table_VH.size(0));
  ways.table(Operation::embedding_bag, grad_table_VH)
      .embedding_bag_backward(grad_out_TH, ids_N, weights_N, offsets_T1, grad_table_VH);
}

void embedding_bag_backward_cpu(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                                const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                const at::Tensor& grad_table_VH) {
  if (const RowOps* ops = row_ops_in_use()) {
    return embedding_bag_backward_rows(*ops, grad_out_TH, ids_N, weights_N, offsets_T1,
                                       grad_table_VH);
  }
  embedding_bag_backward_reference(grad_out_TH, ids_N, weights_N, offsets_T1, grad_table_VH);
}

}  // namespace sequela
