#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/nn/plain/plain.h"

namespace sequela {
namespace {

constexpr int64_t kCells = 1 << 24;  // label x bin x task at once

// When each (label, task) ends, and whether with an event; [L, C].
struct Ends {
  at::Tensor seconds_LC, is_event_LC;
};

Ends ends_of(const MotorTargets& targets, int64_t tasks) {
  const at::Tensor offsets = targets.row_offsets_L1.to(at::kLong);
  const at::Tensor label_Z =
      at::repeat_interleave(offsets.slice(0, 1) - offsets.slice(0, 0, -1),
                            std::optional<int64_t>(targets.task_ids_Z.size(0)));
  const at::Tensor place_Z = label_Z * tasks + targets.task_ids_Z.to(at::kLong);
  const at::Tensor seconds_LC = targets.censor_seconds_L.unsqueeze(1).repeat({1, tasks});
  const at::Tensor is_event_LC = at::zeros_like(seconds_LC, at::kBool);
  seconds_LC.view({-1}).index_copy_(0, place_Z, targets.event_seconds_Z);
  is_event_LC.view({-1}).index_fill_(0, place_Z, true);
  return {seconds_LC, is_event_LC};
}

at::Tensor seconds_at_risk(const at::Tensor& seconds, const at::Tensor& starts,
                           const at::Tensor& ends, TimeAtRisk time_at_risk) {
  const at::Tensor exact = at::minimum((seconds - starts).clamp_min(0), ends - starts);
  if (time_at_risk == TimeAtRisk::exact) return exact;
  return at::where(exact > 0, at::exp2(at::log2(exact).to(at::kHalf).to(at::kFloat)), exact);
}

}  // namespace

at::Tensor plain_time_to_event_loss(const at::Tensor& z_LKF, const TimeToEventHead& head,
                                    const MotorTargets& targets, TimeAtRisk time_at_risk) {
  const int64_t labels = z_LKF.size(0), bins = z_LKF.size(1), tasks = head.weight_CF.size(0);
  if (labels == 0) return z_LKF.sum().to(at::kFloat);
  const Ends ends = ends_of(targets, tasks);
  const at::Tensor starts_K1 = head.bin_edges_K1.slice(0, 0, bins).unsqueeze(1),
                   ends_K1 = head.bin_edges_K1.slice(0, 1).unsqueeze(1);
  const int64_t step = std::max<int64_t>(1, kCells / std::max<int64_t>(1, bins * tasks));
  at::Tensor total = at::zeros({}, head.bias_C.options().dtype(at::kDouble));
  for (int64_t first = 0; first < labels; first += step) {
    const int64_t last = std::min(labels, first + step);
    at::Tensor logits_LKC =
        at::matmul(z_LKF.slice(0, first, last), head.weight_CF.t()).to(at::kFloat) + head.bias_C;
    if (head.time_bias_KC.defined()) logits_LKC = logits_LKC + head.time_bias_KC;
    const at::Tensor seconds_L1C = ends.seconds_LC.slice(0, first, last).unsqueeze(1),
                     is_event_L1C = ends.is_event_LC.slice(0, first, last).unsqueeze(1);
    const at::Tensor risk = seconds_at_risk(seconds_L1C, starts_K1, ends_K1, time_at_risk);
    const at::Tensor is_here = is_event_L1C & (seconds_L1C >= starts_K1) & (seconds_L1C < ends_K1);
    // 2^logit may be infinite where nobody is at risk; neither it nor its gradient counts there.
    const at::Tensor rates = at::exp2(logits_LKC.masked_fill(risk <= 0, 0));
    total = total + (rates * risk).sum(at::kDouble) -
            M_LN2 * logits_LKC.masked_fill(is_here.logical_not(), 0).sum(at::kDouble);
  }
  return (total / (static_cast<double>(labels) * bins * tasks)).to(at::kFloat);
}

}  // namespace sequela
