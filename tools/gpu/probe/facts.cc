#include <ATen/ATen.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <sys/resource.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "sequela/nn/cuda/cuda_kernels.h"
#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/isa.h"
#include "sequela/train/gemm_rate.h"
#include "tools/gpu/probe/probe.h"

namespace sequela {
namespace {

// Bytes read and written a second by copies of 1 GiB (CPU: 64 MiB), the best of ten.
double copy_rate(at::Device device) {
  const int64_t bytes = device.is_cuda() ? int64_t{1} << 30 : int64_t{1} << 26;
  const at::Tensor from = at::ones({bytes}, at::TensorOptions(device).dtype(at::kByte));
  const at::Tensor to = at::empty_like(from);
  double best = 1e30;
  for (int i = 0; i < 10; ++i) {
    const auto start = std::chrono::steady_clock::now();
    to.copy_(from);
    wait_for(device);
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 2 * static_cast<double>(bytes) / best;
}

}  // namespace

void wait_for(at::Device device) {
  if (!device.is_cpu()) at::empty({1}, device).item();
}

int64_t peak_bytes(at::Device device) {
  if (!device.is_cpu()) {
    const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
    return stats.allocated_bytes[0].peak;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{1024} * usage.ru_maxrss;
}

Json probe_facts(const ProbeOptions& options) {
  Json facts = {{"device", options.device.str()},
                {"torch", TORCH_VERSION},
                {"has_cuda_kernels", has_cuda_kernels()},
                {"cpu", cpu_name()},
                {"isa", to_text(kernel_isa())}};
  if (options.device.is_cuda()) {
    const CudaDeviceFacts device = cuda_device_facts(options.device.index());
    const CudaVersions versions = cuda_versions();
    facts["name"] = device.name;
    facts["capability"] = 10 * device.major + device.minor;
    facts["total_bytes"] = device.total_bytes;
    facts["free_bytes"] = device.free_bytes;
    facts["driver"] = versions.driver;
    facts["runtime"] = versions.runtime;
  }
  facts["bf16_flops"] = measure_gemm_rate(options.device, Precision::bf16);
  facts["fp32_flops"] = measure_gemm_rate(options.device, Precision::fp32);
  facts["copy_bytes"] = copy_rate(options.device);
  return facts;
}

}  // namespace sequela
