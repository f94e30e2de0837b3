#include "tests/cuda_on_cpu/machine.h"
#include "tests/cuda_on_cpu/orders.h"

namespace sequela::cuda_on_cpu {

at::Device device() {
  return at::kCPU;
}

const KernelTable& kernels() {
  return cuda_kernels();
}

double rounding() {
  return 1;
}

double least_scale() {
  return 0.1;
}

int num_orders() {
  return 3;
}

void take_order(int order) {
  set_order(static_cast<Order>(order), static_cast<uint64_t>(order));
}

}  // namespace sequela::cuda_on_cpu
