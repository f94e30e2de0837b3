#pragma once

#include <string>
#include <vector>

#include "sequela/nn/kernel_check.h"

namespace sequela {

struct KernelTable;

// What a check's outcome holds for.
struct CheckedDevice {
  std::string name;    // "NVIDIA H100 PCIe, sm_90"
  std::string driver;  // "CUDA 12.4"
  std::string build;   // of this program
};

// check_kernels(), or what a file in `folder` tells of such a device: kernels-<hash>.json, written
// after a check in which no kernel threw. A missing, broken or foreign file leads to a new check; a
// folder that cannot be written, or "", to one each time.
std::vector<KernelResult> check_kernels_once(const KernelTable& own, at::Device device,
                                             const CheckedDevice& checked,
                                             const std::string& folder);

}  // namespace sequela
