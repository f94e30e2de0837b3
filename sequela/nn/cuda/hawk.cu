// The hawk core, forward; see hawk.cuh.

#include "sequela/nn/cuda/hawk.cuh"

namespace sequela {
namespace {

template <class T>
__global__ void convolve(HawkCall call) {
  const int64_t w = blockIdx.y * kBlock + threadIdx.x, t = blockIdx.x;
  if (w >= call.width) return;
  const Channel<T> channel(call, w);
  float value = call.conv_bias[w];
  for (int64_t lag = 0; lag < 4 && t - lag >= call.sequence_starts[t]; ++lag) {
    value += call.conv_weight[(3 - lag) * call.width + w] * channel.x(t - lag);
  }
  put(static_cast<T*>(call.conv) + t * call.width + w, value);
}

template <class T>
__global__ void reduce_chunks(HawkCall call) {
  const int64_t w = blockIdx.y * kBlock + threadIdx.x, chunk = blockIdx.x;
  if (w >= call.width) return;
  const Channel<T> channel(call, w);
  float product = 1, state = 0;
  for (int64_t t = chunk * kChunk; t < chunk_end(call, chunk); ++t) {
    float a, input;
    step_of(channel, t, a, input);
    state = a * state + input;
    product *= a;
  }
  call.chunk_products[chunk * call.width + w] = product;
  call.chunk_values[chunk * call.width + w] = state;
}

__global__ void join_chunks(HawkCall call, int64_t num_chunks) {
  const int64_t w = blockIdx.x * kBlock + threadIdx.x;
  if (w >= call.width) return;
  float state = 0;
  for (int64_t chunk = 0; chunk < num_chunks; ++chunk) {
    const int64_t at = chunk * call.width + w;
    call.saved_states[at] = state;
    state = call.chunk_products[at] * state + call.chunk_values[at];
  }
}

template <class T>
__global__ void fill_out(HawkCall call, T* out, int64_t out_stride) {
  const int64_t w = blockIdx.y * kBlock + threadIdx.x, chunk = blockIdx.x;
  if (w >= call.width) return;
  const Channel<T> channel(call, w);
  float state = call.saved_states[chunk * call.width + w];
  for (int64_t t = chunk * kChunk; t < chunk_end(call, chunk); ++t) {
    float a, input;
    step_of(channel, t, a, input);
    state = a * state + input;
    const float y = channel.y(t);
    put(out + t * out_stride + w, state * y * gelu_gate(y));
  }
}

}  // namespace

void cuda_hawk_convolve(const HawkCall& call, Value value, void* stream) {
  if (call.num_tokens == 0) return;
  const dim3 grid(static_cast<unsigned>(call.num_tokens), channel_blocks(call));
  with_type(value, [&](auto v) {
    launch({"convolve", grid, stream}, convolve<decltype(v)>, call);
  });
}

void cuda_hawk_scan(const HawkCall& call, void* out, int64_t out_stride, Value value,
                    void* stream) {
  if (call.num_tokens == 0) return;
  const dim3 channels(channel_blocks(call));
  with_type(value, [&](auto v) {
    using T = decltype(v);
    launch({"reduce_chunks", chunk_grid(call), stream}, reduce_chunks<T>, call);
    launch({"join_chunks", channels, stream}, join_chunks, call, num_chunks(call));
    launch({"fill_out", chunk_grid(call), stream}, fill_out<T>, call, static_cast<T*>(out),
           out_stride);
  });
}

}  // namespace sequela
