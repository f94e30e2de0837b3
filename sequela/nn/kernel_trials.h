#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "sequela/nn/kernel_table.h"

namespace sequela {

// One call of an operation, forward and backward, on fixed inputs: what a kernel is checked on.
struct KernelTrial {
  Operation operation;
  int64_t head_size;  // of attention, else 0
  std::function<std::vector<at::Tensor>(const KernelTable&)> run;
};

// Of every operation, small and of odd sizes, on tensors of the device in `type`. The same inputs
// in every run and on every device; torch's random state is left alone.
std::vector<KernelTrial> kernel_trials(at::ScalarType type, at::Device device);

}  // namespace sequela
