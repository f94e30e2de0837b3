// Each task's cost by plain tensor operations, on the tensors' own device.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/nn/kernels/time_to_event_kernels.h"

namespace sequela {
namespace {

constexpr int64_t kLogits = 1 << 26;  // in memory at once

at::Tensor seconds_in_bins(const at::Tensor& seconds, const at::Tensor& starts,
                           const at::Tensor& ends, TimeAtRisk time_at_risk) {
  const at::Tensor exact = at::minimum((seconds - starts).clamp_min(0), ends - starts);
  if (time_at_risk == TimeAtRisk::exact) return exact;
  const at::Tensor rounded = at::exp2(at::log2(exact).to(at::kHalf).to(at::kFloat));
  return at::where(exact > 0, rounded, exact);
}

// Sum over the labels [first, first + count) and all bins, float64 [C].
at::Tensor cost_of(const TimeToEventCall& call, int64_t first, int64_t count) {
  const int64_t bins = call.z_LKF.size(1), tasks = call.head.weight_CF.size(0);
  const at::Tensor starts_K = call.head.bin_edges_K1.narrow(0, 0, bins);
  const at::Tensor ends_K = call.head.bin_edges_K1.narrow(0, 1, bins);
  at::Tensor logits_LKC =
      at::matmul(call.z_LKF.narrow(0, first, count), call.head.weight_CF.t()).to(at::kFloat) +
      call.head.bias_C;
  if (call.head.time_bias_KC.defined()) logits_LKC += call.head.time_bias_KC;

  const at::Tensor offsets = call.targets.row_offsets_L1.narrow(0, first, count + 1).to(at::kLong);
  const int64_t begin = offsets[0].item<int64_t>(), end = offsets[count].item<int64_t>();
  const at::Tensor label_Z = at::repeat_interleave(offsets.slice(0, 1) - offsets.slice(0, 0, -1));
  const at::Tensor place_Z =
      label_Z * tasks + call.targets.task_ids_Z.narrow(0, begin, end - begin).to(at::kLong);
  at::Tensor seconds_LC =
      call.targets.censor_seconds_L.narrow(0, first, count).unsqueeze(1).repeat({1, tasks});
  const at::Tensor event_seconds_Z = call.targets.event_seconds_Z.narrow(0, begin, end - begin);
  seconds_LC.view({-1}).index_copy_(0, place_Z, event_seconds_Z);
  at::Tensor is_event_LC = at::zeros({count, tasks}, seconds_LC.options().dtype(at::kBool));
  is_event_LC.view({-1}).index_fill_(0, place_Z, true);

  at::Tensor cost_C = at::zeros({tasks}, seconds_LC.options().dtype(at::kDouble));
  for (int64_t k = 0; k < bins; ++k) {
    const at::Tensor logits_LC = logits_LKC.select(1, k);
    const at::Tensor at_risk_LC =
        seconds_in_bins(seconds_LC, starts_K[k], ends_K[k], call.time_at_risk);
    const at::Tensor is_here_LC =
        is_event_LC & (seconds_LC >= starts_K[k]) & (seconds_LC < ends_K[k]);
    const at::Tensor zeros = at::zeros({}, logits_LC.options());
    cost_C += at::where(at_risk_LC > 0, at::exp2(logits_LC) * at_risk_LC, zeros)
                  .sum({0}, false, at::kDouble) -
              M_LN2 * at::where(is_here_LC, logits_LC, zeros).sum({0}, false, at::kDouble);
  }
  return cost_C;
}

}  // namespace

at::Tensor time_to_event_costs_plain(const TimeToEventCall& call) {
  const int64_t labels = call.z_LKF.size(0), tasks = call.head.weight_CF.size(0);
  const int64_t step = std::max<int64_t>(1, kLogits / (call.z_LKF.size(1) * tasks));
  at::Tensor cost_C = at::zeros({tasks}, call.head.bias_C.options().dtype(at::kDouble));
  for (int64_t first = 0; first < labels; first += step) {
    cost_C += cost_of(call, first, std::min(step, labels - first));
  }
  return cost_C;
}

}  // namespace sequela
