#pragma once

#include "sequela/nn/kernel_table.h"

namespace sequela {

// nn's operations in torch's own, on any device and in any precision: float32 arithmetic (float64
// for float64), results rounded once. What is computed, and the names of dimensions: the headers of
// nn; arguments are checked already. A backward pass computes its forward pass once more under
// autograd. All go chunk by chunk, so that beside the results memory holds one chunk's
// intermediates (attention: times window or sequence; time to event: kPlainCells).

inline constexpr int64_t kPlainTokens = 1024;    // rows of a chunk; a multiple of kHawkChunk
inline constexpr int64_t kPlainQueries = 256;    // of attention, with all keys that they reach
inline constexpr int64_t kPlainCells = 1 << 22;  // label x bin x task at once

void plain_rms_norm_forward(const RmsNormForward& args);
void plain_rms_norm_backward(const RmsNormBackward& args);
void plain_swiglu_forward(const at::Tensor& ff_T2F, const at::Tensor& out_TF);
void plain_swiglu_backward(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                           const at::Tensor& grad_ff_T2F);
void plain_attention_forward(const AttentionInputs& inputs, const at::Tensor& out_THD,
                             const at::Tensor& logsumexp_HT);
void plain_attention_backward(const AttentionInputs& inputs, const at::Tensor& out_THD,
                              const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                              const AttentionGradients& gradients);
void plain_hawk_forward(const at::Tensor& x_TW, const at::Tensor& y_TW,
                        const HawkParameters& parameters, const PackedSequences& sequences,
                        const at::Tensor& out_TW, const at::Tensor& saved_states_CW);
void plain_hawk_backward(const at::Tensor& x_TW, const at::Tensor& y_TW,
                         const HawkParameters& parameters, const PackedSequences& sequences,
                         const at::Tensor& saved_states_CW, const at::Tensor& grad_out_TW,
                         const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                         const HawkParameters& gradients);
void plain_embedding_bag_forward(const at::Tensor& table_VH, const at::Tensor& ids_N,
                                 const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                 const at::Tensor& out_TH);
void plain_embedding_bag_backward(const at::Tensor& grad_out_TH, const at::Tensor& ids_N,
                                  const at::Tensor& weights_N, const at::Tensor& offsets_T1,
                                  const at::Tensor& grad_table_VH);
at::Tensor plain_time_to_event(const TimeToEventCall& call);
TimeToEventCosts plain_time_to_event_costs(const TimeToEventCall& call);

}  // namespace sequela
