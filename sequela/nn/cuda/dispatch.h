#pragma once

#include "sequela/nn/attention.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/kernels/time_to_event_kernels.h"
#include "sequela/nn/recurrence.h"

namespace sequela {

// nn's functions for tensors on a GPU; arguments are checked already. In a build without
// SEQUELA_CUDA each throws ConfigError (absent.cc).

bool has_cuda_kernels();  // whether this build has them
inline constexpr const char* kNoCudaKernels =
    "this build of sequela has no GPU kernels. Fix: build it with `SEQUELA_CUDA=1 make`, which "
    "needs "
    "nvcc, or use the CPU.";

// bfloat16 only, by the flash attention that torch brings; what it takes: has_own_kernel (ways.h).
void attention_forward_cuda(const AttentionInputs& inputs, const at::Tensor& out_THD,
                            const at::Tensor& logsumexp_HT);
void attention_backward_cuda(const AttentionInputs& inputs, const at::Tensor& out_THD,
                             const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                             const AttentionGradients& gradients);

void hawk_forward_cuda(const at::Tensor& x_TW, const at::Tensor& y_TW,
                       const HawkParameters& parameters, const PackedSequences& sequences,
                       const at::Tensor& out_TW, const at::Tensor& saved_states_CW);
void hawk_backward_cuda(const at::Tensor& x_TW, const at::Tensor& y_TW,
                        const HawkParameters& parameters, const PackedSequences& sequences,
                        const at::Tensor& saved_states_CW, const at::Tensor& grad_out_TW,
                        const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                        const HawkParameters& gradients);

void rms_norm_forward_cuda(const RmsNormForward& args);
void rms_norm_backward_cuda(const RmsNormBackward& args);
void swiglu_forward_cuda(const at::Tensor& ff_T2F, const at::Tensor& out_TF);
void swiglu_backward_cuda(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                          const at::Tensor& grad_ff_T2F);

// The loss as a float32 scalar on the device; without reached_rows_R waits for their number.
at::Tensor time_to_event_cuda(const TimeToEventCall& call);

}  // namespace sequela
