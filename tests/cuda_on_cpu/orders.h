#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "sequela/nn/kernel_table.h"

// What the twin tests run on: the kernels as C++ on this folder's machine (on_machine.cc), or those
// of a GPU (on_device.cc).
namespace sequela::cuda_on_cpu {

at::Device device();           // where their tensors lie
const KernelTable& kernels();  // that are tested
double rounding();             // what errors of attention may be of those of exact products
double least_scale();          // of row_error
int num_orders();              // of a block's threads; on a GPU, which takes its own, two runs
void take_order(int order);

// What `run` returns under each order of the threads.
template <class Run>
auto in_every_order(Run run) {
  std::vector<decltype(run())> results;
  for (int order = 0; order < num_orders(); ++order) {
    take_order(order);
    results.push_back(run());
  }
  take_order(0);
  return results;
}

}  // namespace sequela::cuda_on_cpu
