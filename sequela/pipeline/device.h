#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "sequela/nn/check_cache.h"
#include "sequela/nn/ways.h"

namespace sequela {

// What stands between this program and a GPU.
struct CudaState {
  bool torch_has_cuda = false;  // a torch that was built for CUDA is loaded
  bool has_kernels = false;     // this build has the CUDA kernels
  int driver = 0;               // the newest CUDA that the driver takes, 12040 for 12.4; 0: unknown
  int runtime = 0;              // the CUDA that this program was built with; 0: none
  bool has_driver = false;      // an NVIDIA driver is loaded
  int num_devices = 0;          // that torch sees
};
CudaState cuda_state();

// Why no GPU can be used, and what to do, in a sentence or two; "" if one can.
std::string cuda_fault(const CudaState& state);

// The device that a --device option means. "auto" is the first GPU if torch sees one and this build
// has kernels for it, else the CPU. ConfigError, naming the mend, if it is not there.
at::Device to_device(const std::string& text);
at::Device to_device(const std::string& text, const CudaState& state);

// What to tell of torch's message that a GPU's memory did not suffice: how much was asked and free,
// by torch, and what to lower; "" for another message.
std::string gpu_memory_text(const std::string& torch_message);

// A device with its driver and this build of the program.
CheckedDevice checked_device(at::Device device);

// How nn's operations are computed there. With Kernels::automatic a GPU's kernels are checked
// (nn/kernel_check.h), once for each device, driver and build if `cache` names a folder; a warning
// names each one that differs, and its operation goes the plain way. The CPU's are taken as they
// are: tests check them, and `sequela doctor`. ConfigError for a GPU in a build without its
// kernels, unless they are Kernels::plain.
Ways choose_ways(at::Device device, Kernels kernels, const std::string& cache);

}  // namespace sequela
