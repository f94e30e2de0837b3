#include <ATen/ATen.h>

#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/cuda/tensors.h"

namespace sequela {

bool has_cuda_kernels() {
  return true;
}

void rms_norm_forward_cuda(const RmsNormForward& args) {
  const at::Tensor& features = args.time_features_TK;
  cuda_norm_forward(
      {floats_of(args.x_TH), args.x_TH.stride(0), data_of(args.branch_TH),
       row_stride(args.branch_TH), floats_of(args.sum_TH), row_stride(args.sum_TH),
       floats_of(args.weight_H), floats_of(features), row_stride(features),
       features.defined() ? features.size(1) : 0, args.out_TH.data_ptr(), args.out_TH.stride(0),
       floats_of(args.inverse_rms_T), args.x_TH.size(1), static_cast<float>(kRmsNormEpsilon)},
      value_of(args.branch_TH), value_of(args.out_TH), args.x_TH.size(0),
      current_stream(args.x_TH));
}

void rms_norm_backward_cuda(const RmsNormBackward& args) {
  const int64_t hidden = args.sum_TH.size(1);
  const at::Tensor grad_weights = at::zeros({kNormSums, hidden}, args.sum_TH.options());
  cuda_norm_backward({args.grad_out_TH.data_ptr(), args.grad_out_TH.stride(0),
                      floats_of(args.sum_TH), args.sum_TH.stride(0), floats_of(args.inverse_rms_T),
                      floats_of(args.weight_H), floats_of(args.grad_x_TH), args.grad_x_TH.stride(0),
                      args.is_first, data_of(args.grad_x_copy_TH), row_stride(args.grad_x_copy_TH),
                      floats_of(grad_weights), hidden, args.num_overwritten},
                     value_of(args.grad_out_TH), value_of(args.grad_x_copy_TH), args.sum_TH.size(0),
                     current_stream(args.sum_TH));
  at::Tensor(args.grad_weight_H).add_(grad_weights.sum(0));
}

void swiglu_forward_cuda(const at::Tensor& ff_T2F, const at::Tensor& out_TF) {
  cuda_swiglu_forward({ff_T2F.data_ptr(), ff_T2F.stride(0), nullptr, 0, out_TF.data_ptr(),
                       out_TF.stride(0), out_TF.size(1)},
                      value_of(out_TF), out_TF.size(0), current_stream(out_TF));
}

void swiglu_backward_cuda(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                          const at::Tensor& grad_ff_T2F) {
  cuda_swiglu_backward(
      {ff_T2F.data_ptr(), ff_T2F.stride(0), grad_out_TF.data_ptr(), grad_out_TF.stride(0),
       grad_ff_T2F.data_ptr(), grad_ff_T2F.stride(0), grad_out_TF.size(1)},
      value_of(grad_out_TF), grad_out_TF.size(0), current_stream(grad_out_TF));
}

}  // namespace sequela
