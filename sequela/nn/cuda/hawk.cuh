#pragma once

// The hawk core: one thread per channel and chunk of 64 tokens. The recurrence over chunks is
// linear, so each chunk is first reduced to (product, value), a short sequential pass joins them,
// and a last pass fills the tokens in.

#include "sequela/nn/cuda/device.cuh"

namespace sequela {
namespace {

constexpr int64_t kChunk = 64;
constexpr float kGelu = 1.5957691216057308f;  // 2 sqrt(2 / pi)
constexpr float kGeluCubic = 0.044715f;

__device__ inline float softplus(float x) {
  return x > 20.0f ? x : log1pf(expf(x));
}

// One channel of a call.
template <class T>
struct Channel {
  const HawkCall& call;
  int64_t w;
  float decay;

  __device__ Channel(const HawkCall& whole, int64_t channel)
      : call(whole), w(channel), decay(-8.0f * softplus(whole.a_param[channel])) {}

  __device__ bool is_start(int64_t t) const { return call.sequence_starts[t] == t; }
  __device__ float x(int64_t t) const {
    return get(static_cast<const T*>(call.x) + t * call.x_stride + w);
  }
  __device__ float y(int64_t t) const {
    return get(static_cast<const T*>(call.y) + t * call.y_stride + w);
  }
  __device__ float conv(int64_t t) const {
    return get(static_cast<const T*>(call.conv) + t * call.width + w);
  }
  __device__ int64_t gate_index(int64_t t) const {
    const int64_t block = w / call.block_size;
    return (block * call.num_tokens + t) * call.block_size + w - block * call.block_size;
  }
  __device__ float a_gate(int64_t t) const {
    return sigmoid(get(static_cast<const T*>(call.a_gate) + gate_index(t)) + call.a_gate_bias[w]);
  }
  __device__ float input_gate(int64_t t) const {
    return sigmoid(get(static_cast<const T*>(call.input_gate) + gate_index(t)) +
                   call.input_gate_bias[w]);
  }
};

__device__ inline float gelu_gate(float y) {
  return sigmoid(kGelu * y * (1.0f + kGeluCubic * y * y));
}

// a and the input of one step; a is 0 at a sequence's start.
template <class T>
__device__ void step_of(const Channel<T>& channel, int64_t t, float& a, float& input) {
  input = channel.conv(t) * channel.input_gate(t);
  if (channel.is_start(t)) {
    a = 0;
    return;
  }
  const float log_a = channel.decay * channel.a_gate(t);
  a = expf(log_a);
  input *= sqrtf(-expm1f(2 * log_a));
}

__device__ inline int64_t chunk_end(const HawkCall& call, int64_t chunk) {
  const int64_t end = (chunk + 1) * kChunk;
  return end < call.num_tokens ? end : call.num_tokens;
}

inline int64_t num_chunks(const HawkCall& call) {
  return (call.num_tokens + kChunk - 1) / kChunk;
}
inline unsigned channel_blocks(const HawkCall& call) {
  return static_cast<unsigned>((call.width + kBlock - 1) / kBlock);
}
inline dim3 chunk_grid(const HawkCall& call) {
  return dim3(static_cast<unsigned>(num_chunks(call)), channel_blocks(call));
}

}  // namespace
}  // namespace sequela
