#pragma once

// Shared by the .cu files: loads and stores of both value types, block sums, launches.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "sequela/nn/cuda/cuda_kernels.h"

namespace sequela {

// A block's shared memory: as many floats as its launch asks for.
extern __shared__ float shared_floats[];

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

// Sum over a block of kBlock threads, the same in each of them; `shared` holds kSums floats.
constexpr int kSums = kBlock / 32;
__device__ inline float block_sum(float x, float* shared) {
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
  __syncthreads();
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = x;
  __syncthreads();
  float total = 0;
  for (int i = 0; i < kSums; ++i) total += shared[i];
  return total;
}

struct Launch {
  const char* name;
  dim3 grid;
  void* stream;  // a cudaStream_t, torch's current one
  int64_t num_shared_floats = 0;
  unsigned block = kBlock;
};

// Puts a kernel on the stream and does not wait for it. The only way that kernels are launched: it
// is plain C++, which tests/cuda_on_cpu runs without a GPU.
template <class... Parameters, class... Arguments>
void launch(const Launch& how, void (*kernel)(Parameters...), const Arguments&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = how.grid;
  config.blockDim = dim3(how.block);
  config.dynamicSmemBytes = how.num_shared_floats * sizeof(float);
  config.stream = static_cast<cudaStream_t>(how.stream);
  const cudaError_t error = cudaLaunchKernelEx(&config, kernel, arguments...);
  if (error == cudaSuccess) return;
  cudaGetLastError();  // forgets it: torch would report it again at its own next launch
  throw std::runtime_error(std::string("CUDA kernel ") + how.name + ": " +
                           cudaGetErrorString(error));
}

// A grid of one dimension.
inline dim3 blocks(int64_t count) {
  return dim3(static_cast<unsigned>(count));
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
