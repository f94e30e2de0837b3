#pragma once

#include "sequela/nn/kernel_table.h"

namespace sequela {

// nn's functions for tensors on the CPU, by the instruction set in use; arguments are checked
// already.

void rms_norm_forward_cpu(const RmsNormForward& args);
void rms_norm_backward_cpu(const RmsNormBackward& args);
void swiglu_forward_cpu(const at::Tensor& ff_T2F, const at::Tensor& out_TF);
void swiglu_backward_cpu(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                         const at::Tensor& grad_ff_T2F);
void attention_forward_cpu(const AttentionInputs& inputs, const at::Tensor& out_THD,
                           const at::Tensor& logsumexp_HT);
void attention_backward_cpu(const AttentionInputs& inputs, const at::Tensor& out_THD,
                            const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                            const AttentionGradients& gradients);
void hawk_forward_cpu(const at::Tensor& x_TW, const at::Tensor& y_TW,
                      const HawkParameters& parameters, const PackedSequences& sequences,
                      const at::Tensor& out_TW, const at::Tensor& saved_states_CW);
void hawk_backward_cpu(const at::Tensor& x_TW, const at::Tensor& y_TW,
                       const HawkParameters& parameters, const PackedSequences& sequences,
                       const at::Tensor& saved_states_CW, const at::Tensor& grad_out_TW,
                       const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                       const HawkParameters& gradients);
void embedding_bag_forward_cpu(const at::Tensor& table_VH, const at::Tensor& ids_N,
                               const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                               const at::Tensor& out_TH);
void embedding_bag_backward_cpu(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                                const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                const at::Tensor& grad_table_VH);
at::Tensor time_to_event_cpu(const TimeToEventCall& call);
TimeToEventCosts time_to_event_costs_cpu(const TimeToEventCall& call);

}  // namespace sequela
