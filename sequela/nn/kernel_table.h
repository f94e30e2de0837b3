#pragma once

#include "sequela/nn/attention.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/kernels/time_to_event_kernels.h"
#include "sequela/nn/recurrence.h"
#include "sequela/nn/token_embedding.h"

namespace sequela {

// One way of computing nn's operations. What each function does, and its arguments: the header of
// the function of the same name, which checks them first.
struct KernelTable {
  // Whether it has an operation for tensors of this type; `head_size`: of attention, else 0.
  bool (*has)(Operation operation, at::ScalarType type, int64_t head_size);
  void (*rms_norm_forward)(const RmsNormForward& args);
  void (*rms_norm_backward)(const RmsNormBackward& args);
  void (*swiglu_forward)(const at::Tensor& ff_T2F, const at::Tensor& out_TF);
  void (*swiglu_backward)(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                          const at::Tensor& grad_ff_T2F);
  void (*attention_forward)(const AttentionInputs& inputs, const at::Tensor& out_THD,
                            const at::Tensor& logsumexp_HT);
  void (*attention_backward)(const AttentionInputs& inputs, const at::Tensor& out_THD,
                             const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                             const AttentionGradients& gradients);
  void (*hawk_forward)(const at::Tensor& x_TW, const at::Tensor& y_TW,
                       const HawkParameters& parameters, const PackedSequences& sequences,
                       const at::Tensor& out_TW, const at::Tensor& saved_states_CW);
  void (*hawk_backward)(const at::Tensor& x_TW, const at::Tensor& y_TW,
                        const HawkParameters& parameters, const PackedSequences& sequences,
                        const at::Tensor& saved_states_CW, const at::Tensor& grad_out_TW,
                        const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                        const HawkParameters& gradients);
  void (*embedding_bag_forward)(const at::Tensor& table_VH, const at::Tensor& ids_N,
                                const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                const at::Tensor& out_TH);
  void (*embedding_bag_backward)(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                                 const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                 const at::Tensor& grad_table_VH);
  at::Tensor (*time_to_event)(const TimeToEventCall& call);  // the loss
  TimeToEventCosts (*time_to_event_costs)(const TimeToEventCall& call);
};

const KernelTable& cpu_kernels();    // by instruction set (isa.h)
const KernelTable& cuda_kernels();   // nn/cuda; their functions throw in a build without it
const KernelTable& plain_kernels();  // nn/plain

}  // namespace sequela
