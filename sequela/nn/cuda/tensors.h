#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "sequela/nn/cuda/cuda_kernels.h"

namespace sequela {

// torch's current stream on the tensor's GPU, as a cudaStream_t.
inline void* current_stream(const at::Tensor& x) {
  return c10::impl::VirtualGuardImpl(x.device().type()).getStream(x.device()).native_handle();
}

inline Value value_of(const at::Tensor& x) {
  return x.defined() && x.scalar_type() == at::kBFloat16 ? Value::bf16 : Value::fp32;
}

inline void* data_of(const at::Tensor& x) {
  return x.defined() ? x.data_ptr() : nullptr;
}
inline float* floats_of(const at::Tensor& x) {
  return static_cast<float*>(data_of(x));
}
inline int64_t row_stride(const at::Tensor& x) {
  return x.defined() ? x.stride(0) : 0;
}

}  // namespace sequela
