// The twin tests of tests/cuda_on_cpu on the device that SEQUELA_TEST_DEVICE names: "cuda", or, to
// rehearse, "cpu", whose own kernels are then tested.

#include <cstdlib>
#include <string>

#include "tests/cuda_on_cpu/orders.h"

namespace sequela::cuda_on_cpu {

at::Device device() {
  const char* name = std::getenv("SEQUELA_TEST_DEVICE");
  return name != nullptr && std::string(name) == "cpu" ? at::Device(at::kCPU)
                                                       : at::Device(at::kCUDA, 0);
}

const KernelTable& kernels() {
  return device().is_cpu() ? cpu_kernels() : cuda_kernels();
}

// Probabilities are rounded to bfloat16, and gradients are their differences (kernel_check.cc).
double rounding() {
  return 20;
}

double least_scale() {
  return 0.5;
}

int num_orders() {
  return 2;
}

void take_order(int) {}

}  // namespace sequela::cuda_on_cpu
