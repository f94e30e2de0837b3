#include "sequela/model/inputs_on_device.h"

#include <ATen/ATen.h>

namespace sequela {

at::Tensor moved(const at::Tensor& tensor, at::Device device) {
  return tensor.defined() ? tensor.to(device, /*non_blocking=*/true) : tensor;
}

BatchInputs to_device(BatchInputs inputs, at::Device device) {
  for (at::Tensor* tensor : device_tensors(inputs)) *tensor = moved(*tensor, device);
  return inputs;
}

MotorTargets to_device(MotorTargets targets, at::Device device) {
  for (at::Tensor* tensor : device_tensors(targets)) *tensor = moved(*tensor, device);
  return targets;
}

}  // namespace sequela
