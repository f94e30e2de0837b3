// The hawk core, backward; see hawk.cuh.

#include "sequela/nn/cuda/hawk.cuh"

namespace sequela {
namespace {

template <class T>
__device__ float grad_out_at(const HawkBackward& b, int64_t t, int64_t w) {
  return get(static_cast<const T*>(b.grad_out) + t * b.grad_out_stride + w);
}

// The states before each token, and each chunk's reversed recurrence as (product, value).
template <class T>
__global__ void reduce_chunks_backward(HawkCall call, HawkBackward b) {
  const int64_t w = blockIdx.y * kBlock + threadIdx.x, chunk = blockIdx.x;
  if (w >= call.width) return;
  const Channel<T> channel(call, w);
  float state = call.saved_states[chunk * call.width + w], product = 1, a, input;
  for (int64_t t = chunk * kChunk; t < chunk_end(call, chunk); ++t) {
    b.states_before[t * call.width + w] = state;
    step_of(channel, t, a, input);
    state = a * state + input;
    product *= a;
  }
  float carry = 0;
  for (int64_t t = chunk_end(call, chunk) - 1; t >= chunk * kChunk; --t) {
    step_of(channel, t, a, input);
    const float y = channel.y(t);
    carry = a * (grad_out_at<T>(b, t, w) * y * gelu_gate(y) + carry);
  }
  call.chunk_products[chunk * call.width + w] = product;
  call.chunk_values[chunk * call.width + w] = carry;
}

// Leaves in chunk_values what reaches each chunk from the later ones.
__global__ void join_chunks_backward(HawkCall call, int64_t num_chunks) {
  const int64_t w = blockIdx.x * kBlock + threadIdx.x;
  if (w >= call.width) return;
  float carry = 0;
  for (int64_t chunk = num_chunks - 1; chunk >= 0; --chunk) {
    const int64_t at = chunk * call.width + w;
    const float value = call.chunk_values[at];
    call.chunk_values[at] = carry;
    carry = call.chunk_products[at] * carry + value;
  }
}

// Gradients at one token; `carry` comes from the token after it. Returns d loss / d log a.
template <class T>
__device__ float backward_step(const Channel<T>& channel, const HawkBackward& b, int64_t t,
                               float& carry) {
  const HawkCall& call = channel.call;
  const int64_t w = channel.w, at = t * call.width + w;
  const bool is_first = channel.is_start(t);
  const float conv = channel.conv(t), a_gate = channel.a_gate(t),
              input_gate = channel.input_gate(t);
  const float log_a = channel.decay * a_gate;
  const float a = is_first ? 0.0f : expf(log_a), rest = -expm1f(2 * log_a);
  const float root = is_first ? 1.0f : sqrtf(rest);
  const float before = b.states_before[at], state = a * before + conv * input_gate * root;
  const float y = channel.y(t), sigma = gelu_gate(y), grad = grad_out_at<T>(b, t, w);
  const float slope = y * sigma * (1 - sigma) * kGelu * (1 + 3 * kGeluCubic * y * y);
  put(static_cast<T*>(b.grad_y) + t * b.grad_y_stride + w, grad * state * (sigma + slope));

  const float grad_state = grad * y * sigma + carry;
  carry = a * grad_state;
  float grad_log_a = 0;
  if (!is_first) {
    const float slope_of_root = 2.0f * rsqrtf(fmaxf(4.0f * rest, 1e-6f));
    grad_log_a = grad_state * (before * a - conv * input_gate * (1 - rest) * slope_of_root);
  }
  const float grad_input = grad_state * root * input_gate;
  put(static_cast<T*>(b.grad_a_gate) + channel.gate_index(t),
      grad_log_a * channel.decay * a_gate * (1 - a_gate));
  put(static_cast<T*>(b.grad_input_gate) + channel.gate_index(t),
      grad_input * conv * (1 - input_gate));
  b.grad_conv[at] = grad_input;
  return grad_log_a;
}

template <class T>
__global__ void fill_gradients(HawkCall call, HawkBackward b) {
  const int64_t w = blockIdx.y * kBlock + threadIdx.x, chunk = blockIdx.x,
                at = chunk * call.width + w;
  if (w >= call.width) return;
  const Channel<T> channel(call, w);
  float carry = call.chunk_values[at], sum_a = 0, sum_input = 0, sum_decay = 0;
  for (int64_t t = chunk_end(call, chunk) - 1; t >= chunk * kChunk; --t) {
    const float grad_log_a = backward_step(channel, b, t, carry);
    const float a_gate = channel.a_gate(t), input_gate = channel.input_gate(t);
    sum_decay += grad_log_a * a_gate;
    sum_a += grad_log_a * channel.decay * a_gate * (1 - a_gate);
    sum_input += b.grad_conv[t * call.width + w] * channel.conv(t) * (1 - input_gate);
  }
  const int64_t plane = gridDim.x * call.width;
  b.sums[at] = sum_a;
  b.sums[plane + at] = sum_input;
  b.sums[2 * plane + at] = sum_decay;
}

// With what comes by the gates.
template <class T>
__device__ float whole_grad_conv(const Channel<T>& channel, const HawkBackward& b, int64_t t) {
  const int64_t gate = channel.gate_index(t);
  return b.grad_conv[t * channel.call.width + channel.w] +
         get(static_cast<const T*>(b.a_share) + gate) +
         get(static_cast<const T*>(b.input_share) + gate);
}

template <class T>
__global__ void convolve_backward(HawkCall call, HawkBackward b) {
  const int64_t w = blockIdx.y * kBlock + threadIdx.x, chunk = blockIdx.x,
                at = chunk * call.width + w;
  if (w >= call.width) return;
  const Channel<T> channel(call, w);
  float sums[5] = {};
  for (int64_t t = chunk * kChunk; t < chunk_end(call, chunk); ++t) {
    const float x = channel.x(t);
    float grad = 0;
    for (int64_t lag = 0;
         lag < 4 && t + lag < call.num_tokens && call.sequence_starts[t + lag] <= t; ++lag) {
      const float grad_conv = whole_grad_conv(channel, b, t + lag);
      grad += call.conv_weight[(3 - lag) * call.width + w] * grad_conv;
      sums[3 - lag] += grad_conv * x;
    }
    sums[4] += whole_grad_conv(channel, b, t);
    put(static_cast<T*>(b.grad_x) + t * b.grad_x_stride + w, grad);
  }
  for (int i = 0; i < 5; ++i) b.sums[(3 + i) * gridDim.x * call.width + at] = sums[i];
}

// Adds the sums of all chunks to the parameters' gradients: one block row for each kind.
__global__ void add_sums(HawkCall call, HawkBackward b, int64_t num_chunks) {
  const int64_t w = blockIdx.y * kBlock + threadIdx.x, kind = blockIdx.x;
  if (w >= call.width) return;
  const float* sums = b.sums + kind * num_chunks * call.width + w;
  float total = 0;
  for (int64_t chunk = 0; chunk < num_chunks; ++chunk) total += sums[chunk * call.width];
  if (kind == 0) b.grad_a_gate_bias[w] += total;
  if (kind == 1) b.grad_input_gate_bias[w] += total;
  if (kind == 2) b.grad_a_param[w] -= 8.0f * total * sigmoid(call.a_param[w]);
  if (kind >= 3 && kind < 7) b.grad_conv_weight[(kind - 3) * call.width + w] += total;
  if (kind == 7) b.grad_conv_bias[w] += total;
}

}  // namespace

void cuda_hawk_scan_backward(const HawkCall& call, const HawkBackward& backward, Value value,
                             void* stream) {
  if (call.num_tokens == 0) return;
  const dim3 channels(channel_blocks(call));
  with_type(value, [&](auto v) {
    using T = decltype(v);
    launch({"reduce_chunks_backward", chunk_grid(call), stream}, reduce_chunks_backward<T>, call,
           backward);
    launch({"join_chunks_backward", channels, stream}, join_chunks_backward, call,
           num_chunks(call));
    launch({"fill_gradients", chunk_grid(call), stream}, fill_gradients<T>, call, backward);
  });
}

void cuda_hawk_convolve_backward(const HawkCall& call, const HawkBackward& backward, Value value,
                                 void* stream) {
  if (call.num_tokens == 0) return;
  with_type(value, [&](auto v) {
    launch({"convolve_backward", chunk_grid(call), stream}, convolve_backward<decltype(v)>, call,
           backward);
  });
  launch({"add_sums", dim3(kHawkSums, channel_blocks(call)), stream}, add_sums, call, backward,
         num_chunks(call));
}

}  // namespace sequela
