#pragma once

#include "sequela/nn/attention.h"

namespace sequela {

// The versions of attention.h's functions; arguments are checked already and lie on the CPU.

void attention_forward_reference(const AttentionInputs& inputs, const at::Tensor& out_THD,
                                 const at::Tensor& logsumexp_HT);
void attention_backward_reference(const AttentionInputs& inputs, const at::Tensor& out_THD,
                                  const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                                  const AttentionGradients& gradients);

}  // namespace sequela
