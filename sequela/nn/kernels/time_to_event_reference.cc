// Plain loss and gradient: dense u, e and logits, one label at a time.

#include <ATen/ATen.h>

#include <cmath>

#include "sequela/nn/kernels/time_to_event_kernels.h"

namespace sequela {
namespace {

// u and e of one label, float32 [K, C] each.
void fill_risk(const TimeToEventCall& call, int64_t label, at::Tensor& u_KC, at::Tensor& e_KC) {
  const float* edges = call.head.bin_edges_K1.const_data_ptr<float>();
  const int32_t* offsets = call.targets.row_offsets_L1.const_data_ptr<int32_t>();
  const int32_t* tasks = call.targets.task_ids_Z.const_data_ptr<int32_t>();
  const float* seconds = call.targets.event_seconds_Z.const_data_ptr<float>();
  const float censor = call.targets.censor_seconds_L.const_data_ptr<float>()[label];
  e_KC.zero_();
  auto u = u_KC.accessor<float, 2>();
  auto e = e_KC.accessor<float, 2>();
  for (int64_t k = 0; k < u_KC.size(0); ++k) {
    u_KC[k].fill_(seconds_at_risk(censor, edges[k], edges[k + 1], call.time_at_risk));
    for (int32_t i = offsets[label]; i < offsets[label + 1]; ++i) {
      u[k][tasks[i]] = seconds_at_risk(seconds[i], edges[k], edges[k + 1], call.time_at_risk);
      if (edges[k] <= seconds[i] && seconds[i] < edges[k + 1]) e[k][tasks[i]] = 1;
    }
  }
}

}  // namespace

double time_to_event_reference(const TimeToEventCall& call) {
  const int64_t labels = call.z_LKF.size(0), bins = call.z_LKF.size(1),
                tasks = call.head.weight_CF.size(0);
  const double num_cells = static_cast<double>(labels) * bins * tasks;
  const at::Tensor weight_CF = call.head.weight_CF.to(at::kFloat);
  at::Tensor u_KC = at::empty({bins, tasks}), e_KC = at::empty({bins, tasks});
  double loss = 0;
  for (int64_t l = 0; l < labels; ++l) {
    fill_risk(call, l, u_KC, e_KC);
    const at::Tensor z_KF = call.z_LKF[l].to(at::kFloat);
    at::Tensor logits_KC = at::mm(z_KF, weight_CF.t()) + call.head.bias_C;
    if (call.head.time_bias_KC.defined()) logits_KC += call.head.time_bias_KC;
    const at::Tensor cost_KC = at::where(u_KC > 0, at::exp2(logits_KC) * u_KC, at::zeros({}));
    loss +=
        (cost_KC.sum(at::kDouble) - M_LN2 * (e_KC * logits_KC).sum(at::kDouble)).item<double>() /
        num_cells;
    if (call.cost_C != nullptr) {
      at::from_blob(call.cost_C, {tasks}, at::kDouble)
          .add_((cost_KC.to(at::kDouble) - M_LN2 * (e_KC * logits_KC).to(at::kDouble)).sum(0));
    }
    if (!call.gradient_scale) continue;
    const at::Tensor grad_KC = (cost_KC - e_KC) * (M_LN2 * *call.gradient_scale / num_cells);
    at::Tensor(call.gradients.z_LKF[l]).copy_(at::mm(grad_KC, weight_CF));
    call.gradients.weight_CF.add_(at::mm(grad_KC.t(), z_KF));
    call.gradients.bias_C.add_(grad_KC.sum(0));
    if (call.head.time_bias_KC.defined()) call.gradients.time_bias_KC.add_(grad_KC);
  }
  return loss;
}

}  // namespace sequela
