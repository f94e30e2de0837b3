// What the CUDA runtime says of a device.

#include "sequela/nn/cuda/device.cuh"

namespace sequela {
namespace {

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

}  // namespace

CudaVersions cuda_versions() {
  CudaVersions versions = {};
  check(cudaDriverGetVersion(&versions.driver));
  check(cudaRuntimeGetVersion(&versions.runtime));
  return versions;
}

CudaDeviceFacts cuda_device_facts(int index) {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, index));
  CudaDeviceFacts facts = {};
  facts.name = properties.name;
  facts.major = properties.major;
  facts.minor = properties.minor;
  int before = 0;
  check(cudaGetDevice(&before));
  check(cudaSetDevice(index));
  size_t free = 0, total = 0;
  const cudaError_t error = cudaMemGetInfo(&free, &total);
  check(cudaSetDevice(before));
  check(error);
  facts.free_bytes = static_cast<int64_t>(free);
  facts.total_bytes = static_cast<int64_t>(total);
  return facts;
}

}  // namespace sequela
