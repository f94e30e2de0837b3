// Norm, gated product and bags of tokens.

#include "sequela/nn/plain/chunks.h"
#include "sequela/nn/plain/plain.h"

namespace sequela {
namespace {

at::Tensor inverse_rms(const at::Tensor& sum_TH) {
  return at::rsqrt(sum_TH.square().mean(1, true) + kRmsNormEpsilon);
}

at::Tensor gated(const at::Tensor& ff_T2F) {
  const std::vector<at::Tensor> halves = ff_T2F.chunk(2, 1);
  return at::silu(halves[0]) * halves[1];
}

at::Tensor bags(const at::Tensor& table_VH, const at::Tensor& ids_N, const at::Tensor& weights_N,
                const at::Tensor& offsets_T1) {
  if (offsets_T1.defined()) {
    return std::get<0>(at::embedding_bag(table_VH, ids_N, offsets_T1, /*scale_grad_by_freq=*/false,
                                         /*mode=sum*/ 0, /*sparse=*/false, weights_N,
                                         /*include_last_offset=*/true));
  }
  const at::Tensor rows_TH = at::embedding(table_VH, ids_N);
  return weights_N.defined() ? rows_TH * weights_N.unsqueeze(1) : rows_TH;
}

}  // namespace

void plain_rms_norm_forward(const RmsNormForward& args) {
  const at::NoGradGuard no_grad;
  const int64_t overwritten = args.time_features_TK.defined() ? args.time_features_TK.size(1) : 0;
  for_chunks(args.x_TH.size(0), kPlainTokens, [&](int64_t first, int64_t count) {
    at::Tensor sum_TH = rows_of(args.x_TH, first, count);
    if (args.branch_TH.defined()) {
      sum_TH = sum_TH + widened(rows_of(args.branch_TH, first, count));
      rows_of(args.sum_TH, first, count).copy_(sum_TH);
    }
    const at::Tensor inverse_T1 = inverse_rms(sum_TH), out_TH = rows_of(args.out_TH, first, count);
    out_TH.copy_(sum_TH * inverse_T1 * args.weight_H);
    rows_of(args.inverse_rms_T, first, count).copy_(inverse_T1.squeeze(1));
    if (overwritten == 0) return;
    out_TH.narrow(1, out_TH.size(1) - overwritten, overwritten)
        .copy_(rows_of(args.time_features_TK, first, count));
  });
}

void plain_rms_norm_backward(const RmsNormBackward& args) {
  const at::NoGradGuard no_grad;
  const int64_t num_normed = args.sum_TH.size(1) - args.num_overwritten;
  const at::Tensor weight_H = recorded(args.weight_H);
  for_chunks(args.sum_TH.size(0), kPlainTokens, [&](int64_t first, int64_t count) {
    const at::Tensor sum_TH = recorded(rows_of(args.sum_TH, first, count));
    {
      const at::AutoGradMode with_grad(true);
      const at::Tensor out_TH = sum_TH * inverse_rms(sum_TH) * weight_H;
      out_TH.narrow(1, 0, num_normed)
          .backward(widened(rows_of(args.grad_out_TH, first, count)).narrow(1, 0, num_normed));
    }
    const at::Tensor grad_x_TH = rows_of(args.grad_x_TH, first, count);
    args.is_first ? grad_x_TH.copy_(sum_TH.grad()) : grad_x_TH.add_(sum_TH.grad());
    if (args.grad_x_copy_TH.defined()) rows_of(args.grad_x_copy_TH, first, count).copy_(grad_x_TH);
  });
  add_gradient(args.grad_weight_H, weight_H);
}

void plain_swiglu_forward(const at::Tensor& ff_T2F, const at::Tensor& out_TF) {
  const at::NoGradGuard no_grad;
  for_chunks(out_TF.size(0), kPlainTokens, [&](int64_t first, int64_t count) {
    rows_of(out_TF, first, count).copy_(gated(widened(rows_of(ff_T2F, first, count))));
  });
}

void plain_swiglu_backward(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                           const at::Tensor& grad_ff_T2F) {
  const at::NoGradGuard no_grad;
  for_chunks(ff_T2F.size(0), kPlainTokens, [&](int64_t first, int64_t count) {
    const at::Tensor ff = recorded(rows_of(ff_T2F, first, count));
    {
      const at::AutoGradMode with_grad(true);
      gated(ff).backward(widened(rows_of(grad_out_TF, first, count)));
    }
    rows_of(grad_ff_T2F, first, count).copy_(ff.grad());
  });
}

void plain_embedding_bag_forward(const at::Tensor& table_VH, const at::Tensor& ids_N,
                                 const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                 const at::Tensor& out_TH) {
  const at::NoGradGuard no_grad;
  out_TH.copy_(bags(table_VH, ids_N, weights_N, offsets_T1));
}

void plain_embedding_bag_backward(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                                  const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                  const at::Tensor& grad_table_VH) {
  const at::NoGradGuard no_grad;
  // A gradient does not depend on the table's values.
  const at::Tensor table_VH = recorded(at::zeros_like(grad_table_VH));
  {
    const at::AutoGradMode with_grad(true);
    bags(table_VH, ids_N, weights_N, offsets_T1).backward(grad_out_TH);
  }
  add_gradient(grad_table_VH, table_VH);
}

}  // namespace sequela
