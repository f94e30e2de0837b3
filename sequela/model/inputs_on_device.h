#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/nn/inputs.h"

namespace sequela {

// A batch on the model's device, without waiting for it. What lies there already is taken as it is.
at::Tensor moved(const at::Tensor& tensor, at::Device device);  // undefined: stays so
BatchInputs to_device(BatchInputs inputs, at::Device device);
MotorTargets to_device(MotorTargets targets, at::Device device);

}  // namespace sequela
