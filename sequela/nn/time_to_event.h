#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "sequela/nn/inputs.h"
#include "sequela/nn/ways.h"

namespace sequela {

// Mean negative log-likelihood of a piecewise-exponential survival model, in nats, fused with the
// linear layer that gives its log2 rates.
//
// Each (label, time bin, task) has one event rate, constant within the bin. A cell costs rate *
// seconds at risk, less ln(rate) if the event falls in it:
//   logits[l, k, c] = z[l, k, :] . weight[c, :] + bias[c] + time_bias[k, c]
//   loss = (sum u 2^logits - ln 2 sum e logits) / (L K C)
// u = seconds at risk within the bin (of the event, or of the censoring time for a task without
// one), e = 1 in the bin that holds the event. Cells never at risk cost 0 and still count in the
// mean.
//
//   L = labels, K = time bins, C = tasks, F = features per bin
//
// Neither u, e nor the [L, K, C] logits are ever built: rows (l, k) that nothing reaches are
// dropped, the others go in chunks of 1,024 rows, within them in tiles of 64 x 64 logits, float32.
// Cost 6 F C operations per kept row; scratch 1,024 x C of z's type. Exponents are taken in
// float32.
//
// Source: MOTOR, arXiv:2301.03150, section 3; the value equals femr's MOTORTaskHead.
// Reference: kernels/time_to_event_reference.cc.
struct TimeToEventHead {
  at::Tensor weight_CF;     // float32 or bfloat16, as z
  at::Tensor bias_C;        // float32
  at::Tensor time_bias_KC;  // float32; undefined = none (heads of older bundles)
  at::Tensor bin_edges_K1;  // float32, seconds, ascending, first 0, last +inf
};

struct TimeToEventGradients {
  at::Tensor z_LKF;      // overwritten, type of z
  at::Tensor weight_CF;  // float32, added to (as all below)
  at::Tensor bias_C;
  at::Tensor time_bias_KC;  // undefined if the head has none
};

// How the seconds at risk enter: exactly, or by their log2 rounded to float16, as femr stores it
// (needed only to repeat femr's numbers beyond three digits).
enum class TimeAtRisk { exact, log2_float16 };

// The rows (label, bin) that some task reaches, by bin, then label, as label * bins + bin: int64
// [R]. All tensors on the CPU.
at::Tensor reached_rows(const MotorTargets& targets, const at::Tensor& bin_edges_K1);

// Returns the loss, a float32 scalar (0 if L is 0). With `gradient_scale`, also adds gradient_scale
// times its gradient to `gradients`. Throws std::invalid_argument for wrong shapes or types.
at::Tensor time_to_event_loss(const at::Tensor& z_LKF, const TimeToEventHead& head,
                              const MotorTargets& targets,
                              TimeAtRisk time_at_risk = TimeAtRisk::exact,
                              std::optional<double> gradient_scale = std::nullopt,
                              const TimeToEventGradients& gradients = {}, const Ways& ways = {});

// The loss, bit for bit, with its parts by task, for evaluations.
struct TimeToEventCosts {
  at::Tensor loss;    // float32 scalar
  at::Tensor cost_C;  // float64, nats: the sum over labels and bins, on z's device
};
TimeToEventCosts time_to_event_costs(const at::Tensor& z_LKF, const TimeToEventHead& head,
                                     const MotorTargets& targets,
                                     TimeAtRisk time_at_risk = TimeAtRisk::exact,
                                     const Ways& ways = {});

// Log2 rates of some tasks (int64 ids), float32 [L, K, S]: dense, so few of them at a time.
at::Tensor log2_rates(const at::Tensor& z_LKF, const TimeToEventHead& head,
                      const at::Tensor& tasks_S);

}  // namespace sequela
