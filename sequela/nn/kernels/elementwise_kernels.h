#pragma once

#include "sequela/nn/elementwise.h"

namespace sequela {

// The versions of elementwise.h's functions; arguments are checked already and lie on the CPU.

void rms_norm_forward_reference(const RmsNormForward& args);
void rms_norm_backward_reference(const RmsNormBackward& args);
void swiglu_forward_reference(const at::Tensor& ff_T2F, at::Tensor out_TF);
void swiglu_backward_reference(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                               at::Tensor grad_ff_T2F);

}  // namespace sequela
