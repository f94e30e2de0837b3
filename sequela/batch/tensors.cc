#include "sequela/batch/tensors.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>

#include "sequela/batch/half.h"

namespace sequela {

namespace {

// A tensor that owns the memory of a vector.
template <class T>
at::Tensor take(std::vector<T>&& values) {
  auto held = std::make_unique<std::vector<T>>(std::move(values));
  const auto size = static_cast<int64_t>(held->size());
  std::vector<T>* owner = held.release();
  return at::from_blob(
      owner->data(), {size}, [owner](void*) { delete owner; },
      at::TensorOptions().dtype(c10::CppTypeToScalarType<T>::value));
}

at::Tensor widen(const std::vector<uint16_t>& halves) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(halves.size())}, at::kFloat);
  float* out = tensor.mutable_data_ptr<float>();
  for (size_t i = 0; i < halves.size(); ++i) out[i] = from_half(halves[i]);
  return tensor;
}

at::Tensor narrow(const std::vector<int64_t>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kInt);
  int32_t* out = tensor.mutable_data_ptr<int32_t>();
  for (size_t i = 0; i < values.size(); ++i) out[i] = static_cast<int32_t>(values[i]);
  return tensor;
}

}  // namespace

BatchInputs to_inputs(BatchArrays&& batch) {
  BatchInputs inputs;
  inputs.token_weights_N = widen(batch.token_weights);
  inputs.time_data_T5 = widen(batch.time_data).view({-1, 5});
  inputs.subject_ids_S = take(std::move(batch.subject_ids));
  inputs.lengths_S = take(std::move(batch.lengths));
  inputs.token_ids_N = take(std::move(batch.token_ids));
  inputs.token_offsets_T1 = take(std::move(batch.token_offsets));
  inputs.ages_days_T = take(std::move(batch.ages_days));
  inputs.timestamps_T = take(std::move(batch.timestamps));
  inputs.label_indices_L = take(std::move(batch.label_indices));
  return inputs;
}

MotorBatch to_motor_batch(BatchArrays&& batch) {
  MotorBatch motor;
  motor.targets.censor_seconds_L = take(std::move(batch.rows.censor_seconds));
  motor.targets.row_offsets_L1 = narrow(batch.rows.row_offsets);
  motor.targets.task_ids_Z = take(std::move(batch.rows.task_ids));
  motor.targets.event_seconds_Z = take(std::move(batch.rows.event_seconds));
  motor.inputs = to_inputs(std::move(batch));
  return motor;
}

ArraysBatch to_arrays_batch(BatchArrays&& batch) {
  ArraysBatch result;
  for (TargetArray& array : batch.targets)
    result.targets[array.name] = take(std::move(array.values));
  result.inputs = to_inputs(std::move(batch));
  return result;
}

}  // namespace sequela
