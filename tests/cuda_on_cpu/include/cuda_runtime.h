#pragma once

// Stands in for CUDA's header when the .cu files are compiled as C++: kernels are functions, a
// launch runs them on the machine of tests/cuda_on_cpu/machine.h before it returns. Holds what our
// kernels use, no more.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>

#include "tests/cuda_on_cpu/machine.h"

#define __global__
#define __device__
#define __host__
#define __shared__
#define __forceinline__ inline

using sequela::cuda_on_cpu::blockDim;
using sequela::cuda_on_cpu::blockIdx;
using sequela::cuda_on_cpu::dim3;
using sequela::cuda_on_cpu::gridDim;
using sequela::cuda_on_cpu::threadIdx;

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess, cudaErrorInvalidConfiguration };

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
};

inline cudaError_t cudaGetLastError() {
  return cudaSuccess;
}
// One device, which is this machine.
struct cudaDeviceProp {
  char name[256];
  int major, minor;
};
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"CPU in a GPU's place", 9, 0};
  return cudaSuccess;
}
inline cudaError_t cudaDriverGetVersion(int* version) {
  *version = 12040;
  return cudaSuccess;
}
inline cudaError_t cudaRuntimeGetVersion(int* version) {
  return cudaDriverGetVersion(version);
}
inline cudaError_t cudaGetDevice(int* index) {
  *index = 0;
  return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int) {
  return cudaSuccess;
}
inline cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = size_t{3} << 30;
  *total = size_t{4} << 30;
  return cudaSuccess;
}
inline const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : "invalid configuration argument";
}

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  const bool is_run = sequela::cuda_on_cpu::run_grid(
      {config->gridDim, config->blockDim, config->dynamicSmemBytes, config->stream},
      [&] { kernel(arguments...); });
  return is_run ? cudaSuccess : cudaErrorInvalidConfiguration;
}

// A call that makes the host wait for the device; counted.
inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
  ++sequela::cuda_on_cpu::counts().waits;
  return cudaSuccess;
}
inline cudaError_t cudaDeviceSynchronize() {
  return cudaStreamSynchronize(nullptr);
}

using Place = std::source_location;

inline void __syncthreads(Place place = Place::current()) {
  sequela::cuda_on_cpu::meet_block(place);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, Place place = Place::current()) {
  sequela::cuda_on_cpu::meet_warp(mask, 0, place);
}

// Values of 4 or 8 bytes go between the lanes of a warp as bits. A lane that names none of the
// warp's keeps its own value.
template <class T>
T value_of_lane(unsigned mask, T value, int64_t lane, Place place) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  const sequela::cuda_on_cpu::Lanes lanes = sequela::cuda_on_cpu::meet_warp(mask, bits, place);
  if (lane < 0 || lane >= 32 || !(lanes.present >> lane & 1)) return value;
  std::memcpy(&value, &lanes.values[lane], sizeof(T));
  return value;
}

inline int lane_id() {
  return static_cast<int>(sequela::cuda_on_cpu::thread_in_block() % 32);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, Place place = Place::current()) {
  return value_of_lane(mask, value, lane & 31, place);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, Place place = Place::current()) {
  return value_of_lane(mask, value, lane_id() ^ lanes, place);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned lanes, Place place = Place::current()) {
  return value_of_lane(mask, value, lane_id() - static_cast<int64_t>(lanes), place);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned lanes, Place place = Place::current()) {
  return value_of_lane(mask, value, lane_id() + static_cast<int64_t>(lanes), place);
}

inline unsigned __ballot_sync(unsigned mask, int is_true, Place place = Place::current()) {
  const sequela::cuda_on_cpu::Lanes lanes =
      sequela::cuda_on_cpu::meet_warp(mask, is_true != 0, place);
  unsigned votes = 0;
  for (int lane = 0; lane < 32; ++lane) {
    if (lanes.present >> lane & 1) votes |= static_cast<unsigned>(lanes.values[lane]) << lane;
  }
  return votes;
}
inline int __any_sync(unsigned mask, int is_true, Place place = Place::current()) {
  return __ballot_sync(mask, is_true, place) != 0;
}
inline int __all_sync(unsigned mask, int is_true, Place place = Place::current()) {
  return __ballot_sync(mask, !is_true, place) == 0;
}

// Sums of floats in no fixed order do not repeat on a GPU; counted.
inline float atomicAdd(float* to, float x) {
  ++sequela::cuda_on_cpu::counts().float_atomics;
  const float before = *to;
  *to += x;
  return before;
}

inline float __expf(float x) {
  return std::exp(x);
}
inline float rsqrtf(float x) {
  return 1.0f / std::sqrt(x);
}
using std::signbit;
