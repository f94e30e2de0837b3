#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sequela/nn/kernel_check.h"
#include "sequela/pipeline/device.h"

namespace sequela {

// One device as `sequela doctor` finds it.
struct DeviceReport {
  std::string id;      // "cpu", "cuda:0"
  std::string name;    // "AMD EPYC 7763 64-Core Processor, avx2"
  std::string driver;  // of a GPU
  int64_t free_bytes = 0, total_bytes = 0;
  std::vector<KernelResult> kernels;  // checked just now
  // Measured just now: matrix products in FLOP/s (bf16: none if the device has no such products),
  // and copying memory, bytes read and written a second.
  double fp32_rate = 0;
  std::optional<double> bf16_rate;
  double bandwidth = 0;
};

struct DoctorReport {
  std::vector<DeviceReport> devices;  // the CPU first
  std::string gpu_fault;              // why there is no GPU, and what to do; empty if there is one

  bool is_well() const;  // every kernel passed its check
};

// Looks at the CPU and every GPU; some seconds each.
DoctorReport examine_machine(int num_threads);

// A report for people, and as JSON: {"version", "commit", "torch", "arrow", "is_well", "gpu_fault",
// "devices": [{"id", "name", "driver", "free_bytes", "total_bytes", "fp32_flops", "bf16_flops",
// "bytes_per_second", "kernels": [{"operation", "type", "way", "error", "bound", "fault"}]}]}.
std::string to_text(const DoctorReport& report);
std::string to_json_text(const DoctorReport& report);

}  // namespace sequela
