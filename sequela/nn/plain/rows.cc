#include <ATen/ATen.h>

#include "sequela/nn/elementwise.h"
#include "sequela/nn/plain/plain.h"

namespace sequela {

PlainNorm plain_rms_norm(const at::Tensor& x_TH, const at::Tensor& branch_TH,
                         const at::Tensor& weight_H, const at::Tensor& time_features_TK) {
  const at::Tensor sum_TH = branch_TH.defined() ? x_TH + branch_TH : x_TH;
  const at::Tensor inverse_rms = at::rsqrt(sum_TH.square().mean(1, true) + kRmsNormEpsilon);
  const at::Tensor out_TH = sum_TH * inverse_rms * weight_H;
  if (!time_features_TK.defined()) return {sum_TH, out_TH};
  const int64_t num_normed = out_TH.size(1) - time_features_TK.size(1);
  return {sum_TH, at::cat({out_TH.narrow(1, 0, num_normed), time_features_TK}, 1)};
}

at::Tensor plain_swiglu(const at::Tensor& ff_T2F) {
  const std::vector<at::Tensor> halves = ff_T2F.chunk(2, 1);
  return at::silu(halves[0]) * halves[1];
}

at::Tensor plain_embedding_bag(const at::Tensor& table_VH, const at::Tensor& ids_N,
                               const at::Tensor& weights_N, const at::Tensor& offsets_T1) {
  if (offsets_T1.defined()) {
    return std::get<0>(at::embedding_bag(table_VH, ids_N, offsets_T1, /*scale_grad_by_freq=*/false,
                                         /*mode=sum*/ 0, /*sparse=*/false, weights_N,
                                         /*include_last_offset=*/true));
  }
  const at::Tensor rows_TH = at::embedding(table_VH, ids_N);
  return weights_N.defined() ? rows_TH * weights_N.unsqueeze(1) : rows_TH;
}

}  // namespace sequela
