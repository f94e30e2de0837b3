#include <cmath>

#include "sequela/nn/plain/chunks.h"
#include "sequela/nn/plain/plain.h"

namespace sequela {
namespace {

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

at::Tensor seconds_in_bins(const at::Tensor& seconds, const at::Tensor& starts,
                           const at::Tensor& ends, TimeAtRisk time_at_risk) {
  const at::Tensor exact = at::minimum((seconds - starts).clamp_min(0), ends - starts);
  if (time_at_risk == TimeAtRisk::exact) return exact;
  return at::where(exact > 0, at::exp2(at::log2(exact).to(at::kHalf).to(at::kFloat)), exact);
}

at::Tensor logits_of(const at::Tensor& z_LKF, const TimeToEventHead& head) {
  const at::Tensor logits_LKC = at::matmul(z_LKF, head.weight_CF.t()) + head.bias_C;
  return head.time_bias_KC.defined() ? logits_LKC + head.time_bias_KC : logits_LKC;
}

// The cost of some labels in nats, before the mean; float64.
at::Tensor cost_of(const at::Tensor& z_LKF, const TimeToEventHead& head, const Ends& ends,
                   TimeAtRisk time_at_risk) {
  const int64_t bins = z_LKF.size(1);
  const at::Tensor starts_K1 = head.bin_edges_K1.slice(0, 0, bins).unsqueeze(1),
                   ends_K1 = head.bin_edges_K1.slice(0, 1).unsqueeze(1);
  const at::Tensor logits_LKC = logits_of(z_LKF, head);
  const at::Tensor seconds_L1C = ends.seconds_LC.unsqueeze(1),
                   is_event_L1C = ends.is_event_LC.unsqueeze(1);
  const at::Tensor risk = seconds_in_bins(seconds_L1C, starts_K1, ends_K1, time_at_risk);
  const at::Tensor is_here = is_event_L1C & (seconds_L1C >= starts_K1) & (seconds_L1C < ends_K1);
  // 2^logit may be infinite where nobody is at risk; neither it nor its gradient counts there.
  const at::Tensor rates = at::exp2(logits_LKC.masked_fill(risk <= 0, 0));
  return (rates * risk).sum(at::kDouble) -
         M_LN2 * logits_LKC.masked_fill(is_here.logical_not(), 0).sum(at::kDouble);
}

TimeToEventHead recorded_head(const TimeToEventHead& head) {
  TimeToEventHead leaves = head;
  leaves.weight_CF = recorded(head.weight_CF);
  leaves.bias_C = recorded(head.bias_C);
  if (head.time_bias_KC.defined()) leaves.time_bias_KC = recorded(head.time_bias_KC);
  return leaves;
}

void add_gradients(const TimeToEventGradients& gradients, const TimeToEventHead& leaves) {
  add_gradient(gradients.weight_CF, leaves.weight_CF);
  add_gradient(gradients.bias_C, leaves.bias_C);
  add_gradient(gradients.time_bias_KC, leaves.time_bias_KC);
}

}  // namespace

at::Tensor plain_time_to_event(const TimeToEventCall& call) {
  const at::NoGradGuard no_grad;
  const at::Tensor& z_LKF = call.z_LKF;
  const int64_t labels = z_LKF.size(0), bins = z_LKF.size(1), tasks = call.head.weight_CF.size(0);
  at::Tensor total = at::zeros({}, call.head.bias_C.options().dtype(at::kDouble));
  if (labels == 0) return total.to(at::kFloat);
  const double num_cells = static_cast<double>(labels) * bins * tasks;
  const Ends ends = ends_of(call.targets, tasks);
  const TimeToEventHead head = recorded_head(call.head);
  const int64_t step = std::max<int64_t>(1, kPlainCells / std::max<int64_t>(1, bins * tasks));
  for_chunks(labels, step, [&](int64_t first, int64_t count) {
    const at::Tensor z = recorded(rows_of(z_LKF, first, count));
    const at::AutoGradMode with_grad(call.gradient_scale.has_value());
    const at::Tensor cost = cost_of(
        z, head, {rows_of(ends.seconds_LC, first, count), rows_of(ends.is_event_LC, first, count)},
        call.time_at_risk);
    total.add_(cost.detach());
    if (!call.gradient_scale) return;
    (cost * (*call.gradient_scale / num_cells)).backward();
    rows_of(call.gradients.z_LKF, first, count).copy_(z.grad());
  });
  if (call.gradient_scale) add_gradients(call.gradients, head);
  return (total / num_cells).to(at::kFloat);
}

TimeToEventCosts plain_time_to_event_costs(const TimeToEventCall& call) {
  return {plain_time_to_event(call), time_to_event_costs_plain(call)};
}

}  // namespace sequela
