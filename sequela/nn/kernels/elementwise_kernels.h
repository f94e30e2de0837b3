#pragma once

#include "sequela/nn/elementwise.h"
#include "sequela/nn/kernels/row_ops.h"

namespace sequela {

// The versions of elementwise.h's functions; arguments are checked already and lie on the CPU.

void rms_norm_forward_reference(const RmsNormForward& args);
void rms_norm_backward_reference(const RmsNormBackward& args);
void swiglu_forward_reference(const at::Tensor& ff_T2F, const at::Tensor& out_TF);
void swiglu_backward_reference(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                               const at::Tensor& grad_ff_T2F);

// The vectorised row operations of the instruction set in use, or null for the reference.
const RowOps* row_ops_in_use();

void rms_norm_forward_rows(const RowOps& ops, const RmsNormForward& args);
void rms_norm_backward_rows(const RowOps& ops, const RmsNormBackward& args);
void swiglu_forward_rows(const RowOps& ops, const at::Tensor& ff_T2F, const at::Tensor& out_TF);
void swiglu_backward_rows(const RowOps& ops, const at::Tensor& ff_T2F,
                          const at::Tensor& grad_out_TF, const at::Tensor& grad_ff_T2F);
void add_bias_rows(const RowOps& ops, const at::Tensor& x_TF, const at::Tensor& bias_F);
void add_column_sums_rows(const RowOps& ops, const at::Tensor& grad_TF,
                          const at::Tensor& grad_bias_F);
void accumulate_rows(const RowOps& ops, const at::Tensor& total, const at::Tensor& part);

}  // namespace sequela
