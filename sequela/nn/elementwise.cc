#include "sequela/nn/elementwise.h"

#include <ATen/ATen.h>

#include "sequela/nn/kernels/check.h"
#include "sequela/nn/kernels/cpu_kernels.h"
#include "sequela/nn/kernels/elementwise_kernels.h"

namespace sequela {

void fill_time_features(const at::Tensor& time_data_T5, at::Tensor& time_features_T10) {
  check_tensor("time_data_T5", time_data_T5, {-1, 5}, {at::kFloat});
  check_tensor("time_features_T10", time_features_T10, {time_data_T5.size(0), 10}, {at::kFloat});
  time_features_T10.narrow(1, 0, 5).copy_(time_data_T5);
  time_features_T10.narrow(1, 5, 5).copy_(time_data_T5.square());
}

void rms_norm_forward(const RmsNormForward& args, const Ways& ways) {
  check_tensor("x_TH", args.x_TH, {-1, -1}, {at::kFloat});
  const int64_t tokens = args.x_TH.size(0), hidden = args.x_TH.size(1);
  if (args.branch_TH.defined()) {
    check_tensor("branch_TH", args.branch_TH, {tokens, hidden}, kFloating);
    check_tensor("sum_TH", args.sum_TH, {tokens, hidden}, {at::kFloat});
  }
  check_tensor("weight_H", args.weight_H, {hidden}, {at::kFloat});
  if (args.time_features_TK.defined()) {
    check_tensor("time_features_TK", args.time_features_TK, {tokens, -1}, {at::kFloat});
  }
  check_tensor("out_TH", args.out_TH, {tokens, hidden}, kFloating);
  check_tensor("inverse_rms_T", args.inverse_rms_T, {tokens}, {at::kFloat});
  ways.table(Operation::norm, args.out_TH).rms_norm_forward(args);
}

void rms_norm_forward_cpu(const RmsNormForward& args) {
  if (const RowOps* ops = row_ops_in_use()) return rms_norm_forward_rows(*ops, args);
  rms_norm_forward_reference(args);
}

void rms_norm_backward(const RmsNormBackward& args, const Ways& ways) {
  check_tensor("grad_out_TH", args.grad_out_TH, {-1, -1}, kFloating);
  const int64_t tokens = args.grad_out_TH.size(0), hidden = args.grad_out_TH.size(1);
  check_tensor("sum_TH", args.sum_TH, {tokens, hidden}, {at::kFloat});
  check_tensor("inverse_rms_T", args.inverse_rms_T, {tokens}, {at::kFloat});
  check_tensor("weight_H", args.weight_H, {hidden}, {at::kFloat});
  check_tensor("grad_x_TH", args.grad_x_TH, {tokens, hidden}, {at::kFloat});
  if (args.grad_x_copy_TH.defined())
    check_tensor("grad_x_copy_TH", args.grad_x_copy_TH, {tokens, hidden}, kFloating);
  check_tensor("grad_weight_H", args.grad_weight_H, {hidden}, {at::kFloat});
  ways.table(Operation::norm, args.grad_out_TH).rms_norm_backward(args);
}

void rms_norm_backward_cpu(const RmsNormBackward& args) {
  if (const RowOps* ops = row_ops_in_use()) return rms_norm_backward_rows(*ops, args);
  rms_norm_backward_reference(args);
}

void swiglu_forward(const at::Tensor& ff_T2F, const at::Tensor& out_TF, const Ways& ways) {
  check_tensor("out_TF", out_TF, {-1, -1}, kFloating);
  check_tensor("ff_T2F", ff_T2F, {out_TF.size(0), 2 * out_TF.size(1)}, {out_TF.scalar_type()});
  ways.table(Operation::gated_product, out_TF).swiglu_forward(ff_T2F, out_TF);
}

void swiglu_forward_cpu(const at::Tensor& ff_T2F, const at::Tensor& out_TF) {
  if (const RowOps* ops = row_ops_in_use()) return swiglu_forward_rows(*ops, ff_T2F, out_TF);
  swiglu_forward_reference(ff_T2F, out_TF);
}

void swiglu_backward(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                     const at::Tensor& grad_ff_T2F, const Ways& ways) {
  check_tensor("grad_out_TF", grad_out_TF, {-1, -1}, kFloating);
  check_tensor("ff_T2F", ff_T2F, {grad_out_TF.size(0), 2 * grad_out_TF.size(1)},
               {grad_out_TF.scalar_type()});
  check_tensor("grad_ff_T2F", grad_ff_T2F, {ff_T2F.size(0), ff_T2F.size(1)},
               {ff_T2F.scalar_type()});
  ways.table(Operation::gated_product, grad_out_TF)
      .swiglu_backward(ff_T2F, grad_out_TF, grad_ff_T2F);
}

void swiglu_backward_cpu(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                         const at::Tensor& grad_ff_T2F) {
  if (const RowOps* ops = row_ops_in_use())
    return swiglu_backward_rows(*ops, ff_T2F, grad_out_TF, grad_ff_T2F);
  swiglu_backward_reference(ff_T2F, grad_out_TF, grad_ff_T2F);
}

void gelu_forward(const at::Tensor& ff_TF, const at::Tensor& out_TF) {
  check_tensor("ff_TF", ff_TF, {-1, -1}, kMixed);
  check_tensor("out_TF", out_TF, {ff_TF.size(0), ff_TF.size(1)}, {ff_TF.scalar_type()});
  out_TF.copy_(at::gelu(ff_TF, "none"));
}

void gelu_backward(const at::Tensor& ff_TF, const at::Tensor& grad_out_TF,
                   const at::Tensor& grad_ff_TF) {
  check_tensor("ff_TF", ff_TF, {-1, -1}, kMixed);
  check_tensor("grad_out_TF", grad_out_TF, {ff_TF.size(0), ff_TF.size(1)}, {ff_TF.scalar_type()});
  check_tensor("grad_ff_TF", grad_ff_TF, {ff_TF.size(0), ff_TF.size(1)}, {ff_TF.scalar_type()});
  grad_ff_TF.copy_(at::gelu_backward(grad_out_TF, ff_TF, "none"));
}

void add_bias(const at::Tensor& x_TF, const at::Tensor& bias_F) {
  check_tensor("x_TF", x_TF, {-1, -1}, kMixed);
  check_tensor("bias_F", bias_F, {x_TF.size(1)}, {at::kFloat});
  const RowOps* ops = x_TF.is_cpu() ? row_ops_in_use() : nullptr;
  if (ops != nullptr) return add_bias_rows(*ops, x_TF, bias_F);
  x_TF.add_(bias_F);
}

void add_column_sums(const at::Tensor& grad_TF, const at::Tensor& grad_bias_F) {
  check_tensor("grad_TF", grad_TF, {-1, -1}, kMixed);
  check_tensor("grad_bias_F", grad_bias_F, {grad_TF.size(1)}, {at::kFloat});
  const RowOps* ops = grad_TF.is_cpu() ? row_ops_in_use() : nullptr;
  if (ops != nullptr) return add_column_sums_rows(*ops, grad_TF, grad_bias_F);
  grad_bias_F.add_(at::sum(grad_TF, {0}, false, at::kFloat));
}

void accumulate(const at::Tensor& total, const at::Tensor& part) {
  check_tensor("total", total.view({-1}), {-1}, {at::kFloat});
  check_tensor("part", part.view({-1}), {total.numel()}, kMixed);
  const RowOps* ops = total.is_cpu() ? row_ops_in_use() : nullptr;
  if (ops != nullptr) return accumulate_rows(*ops, total, part);
  total.add_(part.view(total.sizes()));
}

}  // namespace sequela
