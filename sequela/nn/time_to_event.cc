#include "sequela/nn/time_to_event.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/nn/isa.h"
#include "sequela/nn/kernels/check.h"
#include "sequela/nn/kernels/cpu_kernels.h"
#include "sequela/nn/kernels/time_to_event_kernels.h"
#include "sequela/nn/kernels/time_to_event_tile.h"

namespace sequela {
namespace {

void check_rows(const MotorTargets& targets, int64_t labels, int64_t tasks) {
  const int32_t* offsets = targets.row_offsets_L1.const_data_ptr<int32_t>();
  const int32_t* ids = targets.task_ids_Z.const_data_ptr<int32_t>();
  bool is_valid = offsets[0] == 0 && offsets[labels] == targets.task_ids_Z.size(0);
  for (int64_t l = 0; l < labels && is_valid; ++l) is_valid = offsets[l] <= offsets[l + 1];
  if (!is_valid)
    throw std::invalid_argument("the targets' row offsets do not cover their entries in order");
  for (int64_t l = 0; l < labels; ++l) {
    for (int32_t i = offsets[l]; i < offsets[l + 1]; ++i) {
      const bool is_ordered = i == offsets[l] || ids[i - 1] < ids[i];
      if (is_ordered && ids[i] >= 0 && ids[i] < tasks) continue;
      throw std::invalid_argument(
          str("label ", l, ": task ", ids[i], " is out of order or of range"));
    }
  }
}

void check_call(const TimeToEventCall& call) {
  check_tensor("z_LKF", call.z_LKF, {-1, -1, -1}, kFloating);
  const int64_t labels = call.z_LKF.size(0), bins = call.z_LKF.size(1), size = call.z_LKF.size(2);
  const std::initializer_list<at::ScalarType> type = {call.z_LKF.scalar_type()};
  check_tensor("weight_CF", call.head.weight_CF, {-1, size}, type);
  const int64_t tasks = call.head.weight_CF.size(0);
  check_tensor("bias_C", call.head.bias_C, {tasks}, {at::kFloat});
  if (call.head.time_bias_KC.defined())
    check_tensor("time_bias_KC", call.head.time_bias_KC, {bins, tasks}, {at::kFloat});
  check_tensor("bin_edges_K1", call.head.bin_edges_K1, {bins + 1}, {at::kFloat});
  check_tensor("censor_seconds_L", call.targets.censor_seconds_L, {labels}, {at::kFloat});
  check_tensor("row_offsets_L1", call.targets.row_offsets_L1, {labels + 1}, {at::kInt});
  check_tensor("task_ids_Z", call.targets.task_ids_Z, {-1}, {at::kInt});
  check_tensor("event_seconds_Z", call.targets.event_seconds_Z, {call.targets.task_ids_Z.size(0)},
               {at::kFloat});
  if (!call.gradient_scale) return;
  check_tensor("gradients.z_LKF", call.gradients.z_LKF, {labels, bins, size}, type);
  check_tensor("gradients.weight_CF", call.gradients.weight_CF, {tasks, size}, {at::kFloat});
  check_tensor("gradients.bias_C", call.gradients.bias_C, {tasks}, {at::kFloat});
  if (call.head.time_bias_KC.defined()) {
    check_tensor("gradients.time_bias_KC", call.gradients.time_bias_KC, {bins, tasks},
                 {at::kFloat});
  }
}

// bfloat16 on a CPU without such products: by float32 copies.
double run_widened(const TimeToEventCall& call, const TimeToEventOps<float>& ops) {
  TimeToEventHead head = call.head;
  head.weight_CF = head.weight_CF.to(at::kFloat);
  TimeToEventGradients gradients = call.gradients;
  if (call.gradient_scale) gradients.z_LKF = at::empty_like(gradients.z_LKF, at::kFloat);
  const double loss =
      time_to_event_tiled({call.z_LKF.to(at::kFloat), head, call.targets, call.time_at_risk,
                           call.gradient_scale, gradients, call.cost_C},
                          ops);
  if (call.gradient_scale) at::Tensor(call.gradients.z_LKF).copy_(gradients.z_LKF);
  return loss;
}

double run(const TimeToEventCall& call) {
  if (call.z_LKF.size(0) == 0) return 0;
  if (kernel_isa() == Isa::portable || call.z_LKF.size(2) % 32 != 0)
    return time_to_event_reference(call);
  const TimeToEventTables& tables =
      kernels_in_use(kTimeToEventAvx2, kTimeToEventAvx512, kTimeToEventAvx512Bf16);
  if (call.z_LKF.scalar_type() == at::kFloat) return time_to_event_tiled(call, tables.fp32);
  if (kernel_isa() == Isa::avx512_bf16) return time_to_event_tiled(call, tables.bf16);
  return run_widened(call, tables.fp32);
}

}  // namespace

float seconds_at_risk(float seconds, float bin_start, float bin_end, TimeAtRisk time_at_risk) {
  const float exact = std::clamp(seconds - bin_start, 0.0f, bin_end - bin_start);
  if (time_at_risk == TimeAtRisk::exact || exact == 0) return exact;
  return std::exp2(static_cast<float>(c10::Half(std::log2(exact))));
}

at::Tensor time_to_event_loss(const at::Tensor& z_LKF, const TimeToEventHead& head,
                              const MotorTargets& targets, TimeAtRisk time_at_risk,
                              std::optional<double> gradient_scale,
                              const TimeToEventGradients& gradients, const Ways& ways) {
  const TimeToEventCall call{z_LKF, head, targets, time_at_risk, gradient_scale, gradients};
  check_call(call);
  if (z_LKF.is_cpu()) check_rows(targets, z_LKF.size(0), head.weight_CF.size(0));
  return ways.table(Operation::time_to_event, z_LKF).time_to_event(call);
}

TimeToEventCosts time_to_event_costs(const at::Tensor& z_LKF, const TimeToEventHead& head,
                                     const MotorTargets& targets, TimeAtRisk time_at_risk,
                                     const Ways& ways) {
  const TimeToEventGradients no_gradients;
  const TimeToEventCall call{z_LKF, head, targets, time_at_risk, std::nullopt, no_gradients};
  check_call(call);
  if (z_LKF.is_cpu()) check_rows(targets, z_LKF.size(0), head.weight_CF.size(0));
  return ways.table(Operation::time_to_event, z_LKF).time_to_event_costs(call);
}

at::Tensor time_to_event_cpu(const TimeToEventCall& call) {
  return at::scalar_tensor(run(call), call.z_LKF.options().dtype(at::kFloat));
}

TimeToEventCosts time_to_event_costs_cpu(const TimeToEventCall& call) {
  const at::Tensor cost_C = at::zeros({call.head.weight_CF.size(0)}, at::kDouble);
  TimeToEventCall with_costs = call;
  with_costs.cost_C = cost_C.data_ptr<double>();
  return {time_to_event_cpu(with_costs), cost_C};
}

at::Tensor log2_rates(const at::Tensor& z_LKF, const TimeToEventHead& head,
                      const at::Tensor& tasks_S) {
  at::Tensor rates_LKS =
      at::matmul(z_LKF.to(at::kFloat), head.weight_CF.index_select(0, tasks_S).to(at::kFloat).t()) +
      head.bias_C.index_select(0, tasks_S);
  if (head.time_bias_KC.defined()) rates_LKS += head.time_bias_KC.index_select(1, tasks_S);
  return rates_LKS;
}

}  // namespace sequela
