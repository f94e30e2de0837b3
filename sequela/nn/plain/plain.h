#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/nn/attention.h"
#include "sequela/nn/recurrence.h"
#include "sequela/nn/time_to_event.h"

namespace sequela {

// nn's operations in torch's own, on any device and in any precision; autograd gives their
// gradients. What is computed, and the names of dimensions: the headers of nn. Slower than the
// kernels and hungrier: memory grows in proportion to the tokens (attention: times window, at most
// kPlainQueries more; recurrence: times the logarithm of the longest sequence).

// Queries at once, with all keys that they reach.
inline constexpr int64_t kPlainQueries = 256;

struct PlainNorm {
  at::Tensor sum_TH, out_TH;
};
// branch_TH and time_features_TK may be undefined; sum_TH is x_TH without a branch.
PlainNorm plain_rms_norm(const at::Tensor& x_TH, const at::Tensor& branch_TH,
                         const at::Tensor& weight_H, const at::Tensor& time_features_TK);

at::Tensor plain_swiglu(const at::Tensor& ff_T2F);

// [T, H, D].
at::Tensor plain_attention(const AttentionInputs& inputs);

// [T, W].
at::Tensor plain_hawk(const at::Tensor& x_TW, const at::Tensor& y_TW,
                      const HawkParameters& parameters, const PackedSequences& sequences);

// [T, H]; weights_N and offsets_T1 may be undefined.
at::Tensor plain_embedding_bag(const at::Tensor& table_VH, const at::Tensor& ids_N,
                               const at::Tensor& weights_N, const at::Tensor& offsets_T1);

// A float32 scalar.
at::Tensor plain_time_to_event_loss(const at::Tensor& z_LKF, const TimeToEventHead& head,
                                    const MotorTargets& targets,
                                    TimeAtRisk time_at_risk = TimeAtRisk::exact);

}  // namespace sequela
