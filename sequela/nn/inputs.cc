#include "sequela/nn/inputs.h"

namespace sequela {

std::vector<at::Tensor*> device_tensors(BatchInputs& inputs) {
  return {&inputs.token_ids_N, &inputs.token_weights_N, &inputs.token_offsets_T1,
          &inputs.ages_days_T, &inputs.time_data_T5,    &inputs.label_indices_L};
}

std::vector<at::Tensor*> device_tensors(MotorTargets& targets) {
  return {&targets.censor_seconds_L, &targets.row_offsets_L1, &targets.task_ids_Z,
          &targets.event_seconds_Z, &targets.reached_rows_R};
}

}  // namespace sequela
