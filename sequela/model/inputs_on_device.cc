#include "sequela/model/inputs_on_device.h"

#include <ATen/ATen.h>

namespace sequela {

at::Tensor moved(const at::Tensor& tensor, at::Device device) {
  return tensor.defined() ? tensor.to(device, /*non_blocking=*/true) : tensor;
}

BatchInputs to_device(BatchInputs inputs, at::Device device) {
  for (at::Tensor* tensor : {&inputs.token_ids_N, &inputs.token_weights_N, &inputs.token_offsets_T1,
                             &inputs.ages_days_T, &inputs.time_data_T5, &inputs.label_indices_L}) {
    *tensor = moved(*tensor, device);
  }
  return inputs;  // lengths stay: the packing is computed on the host
}

MotorTargets to_device(const MotorTargets& targets, at::Device device) {
  return {.censor_seconds_L = moved(targets.censor_seconds_L, device),
          .row_offsets_L1 = moved(targets.row_offsets_L1, device),
          .task_ids_Z = moved(targets.task_ids_Z, device),
          .event_seconds_Z = moved(targets.event_seconds_Z, device),
          .reached_rows_R = moved(targets.reached_rows_R, device)};
}

}  // namespace sequela
