#pragma once

// Shared by the .cu files: loads and stores of both value types, block sums, launch checks.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "sequela/nn/cuda/cuda_kernels.h"

namespace sequela {
namespace {

__device__ inline float get(const float* from) {
  return *from;
}
__device__ inline float get(const __nv_bfloat16* from) {
  return __bfloat162float(*from);
}
__device__ inline void put(float* to, float x) {
  *to = x;
}
__device__ inline void put(__nv_bfloat16* to, float x) {
  *to = __float2bfloat16(x);
}

__device__ inline float sigmoid(float x) {
  return 1.0f / (1.0f + __expf(-x));
}

constexpr int kBlock = 256;

// Sum over a block of kBlock threads, the same in each of them; `shared` holds 32 floats.
__device__ inline float block_sum(float x, float* shared) {
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
  __syncthreads();
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = x;
  __syncthreads();
  float total = 0;
  for (int i = 0; i < kBlock / 32; ++i) total += shared[i];
  return total;
}

inline cudaStream_t to_stream(void* stream) {
  return static_cast<cudaStream_t>(stream);
}

inline void check_launch(const char* name) {
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string("CUDA kernel ") + name + ": " + cudaGetErrorString(error));
  }
}

// Calls run(T{}) with the value's C++ type.
template <class Run>
void with_type(Value value, Run run) {
  if (value == Value::fp32)
    run(float{});
  else
    run(__nv_bfloat16{});
}

}  // namespace
}  // namespace sequela
