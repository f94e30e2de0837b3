#pragma once

#include <c10/core/Device.h>

namespace sequela {

// A device that is not the CPU and has no kernels of ours: torch's place for other vendors' devices
// (PrivateUse1). Each operation runs on the CPU, on values that no other code finds (memory.h). An
// operation on tensors of two devices fails, as it does on a GPU.
//
// What it shows: which device each tensor is on, and that the host follows no pointer of the
// device's. What it does not: streams, launches, rounding, speed.
inline at::Device other_device() {
  return {c10::DeviceType::PrivateUse1, 0};
}

}  // namespace sequela
