// Plain versions, in float32 by ATen operations.

#include <ATen/ATen.h>

#include "sequela/nn/kernels/elementwise_kernels.h"

namespace sequela {

void rms_norm_forward_reference(const RmsNormForward& args) {
  at::Tensor sum = args.x_TH;
  if (args.branch_TH.defined()) {
    sum = args.x_TH + args.branch_TH.to(at::kFloat);
    args.sum_TH.copy_(sum);
  }
  const at::Tensor inverse_rms = at::rsqrt(sum.square().mean(-1) + kRmsNormEpsilon);
  args.inverse_rms_T.copy_(inverse_rms);
  args.out_TH.copy_(sum * inverse_rms.unsqueeze(1) * args.weight_H);
  if (args.time_features_TK.defined()) {
    const int64_t count = args.time_features_TK.size(1);
    args.out_TH.narrow(1, args.out_TH.size(1) - count, count).copy_(args.time_features_TK);
  }
}

void rms_norm_backward_reference(const RmsNormBackward& args) {
  at::Tensor grad_out = args.grad_out_TH.to(at::kFloat, false, true);
  grad_out.narrow(1, grad_out.size(1) - args.num_overwritten, args.num_overwritten).zero_();
  const at::Tensor inverse_rms = args.inverse_rms_T.unsqueeze(1);
  const at::Tensor normed = args.sum_TH * inverse_rms;
  const at::Tensor grad_normed = grad_out * args.weight_H;
  const at::Tensor grad_sum =
      inverse_rms * (grad_normed - normed * (grad_normed * normed).mean(-1, true));
  args.grad_weight_H.add_((grad_out * normed).sum(0));
  at::Tensor grad_x = args.grad_x_TH;
  if (args.is_first)
    grad_x.copy_(grad_sum);
  else
    grad_x.add_(grad_sum);
  if (args.grad_x_copy_TH.defined()) at::Tensor(args.grad_x_copy_TH).copy_(grad_x);
}

void swiglu_forward_reference(const at::Tensor& ff_T2F, const at::Tensor& out_TF) {
  const std::vector<at::Tensor> halves = ff_T2F.to(at::kFloat).chunk(2, 1);
  out_TF.copy_(at::silu(halves[0]) * halves[1]);
}

void swiglu_backward_reference(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                               const at::Tensor& grad_ff_T2F) {
  const std::vector<at::Tensor> halves = ff_T2F.to(at::kFloat).chunk(2, 1);
  const at::Tensor grad_out = grad_out_TF.to(at::kFloat);
  std::vector<at::Tensor> grads = grad_ff_T2F.chunk(2, 1);
  grads[0].copy_(at::silu_backward(grad_out * halves[1], halves[0]));
  grads[1].copy_(grad_out * at::silu(halves[0]));
}

}  // namespace sequela
