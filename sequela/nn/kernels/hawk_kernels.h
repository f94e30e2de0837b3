#pragma once

#include "sequela/nn/recurrence.h"

namespace sequela {

// The versions of recurrence.h's functions; arguments are checked already and lie on the CPU.

void hawk_forward_reference(const at::Tensor& x_TW, const at::Tensor& y_TW,
                            const HawkParameters& parameters, const PackedSequences& sequences,
                            const at::Tensor& out_TW, const at::Tensor& saved_states_CW);
void hawk_backward_reference(const at::Tensor& x_TW, const at::Tensor& y_TW,
                             const HawkParameters& parameters, const PackedSequences& sequences,
                             const at::Tensor& saved_states_CW, const at::Tensor& grad_out_TW,
                             const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                             const HawkParameters& gradients);

}  // namespace sequela
