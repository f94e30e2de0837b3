// Rotary embedding of queries and keys, and its reverse for their gradients.

#include "sequela/nn/cuda/device.cuh"

namespace sequela {
namespace {

template <class T>
__global__ void rotate(RotaryCall call) {
  const int64_t t = blockIdx.x, half = call.size / 2;
  const T* from = static_cast<const T*>(call.from) + t * call.from_stride;
  T* to = static_cast<T*>(call.to) + t * call.to_stride;
  for (int64_t pair = threadIdx.x; pair < call.heads * half; pair += kBlock) {
    const float cosine = call.cosines[t * half + pair % half];
    const float sine = call.direction * call.sines[t * half + pair % half];
    const float first = get(from + 2 * pair), second = get(from + 2 * pair + 1);
    put(to + 2 * pair, first * cosine - second * sine);
    put(to + 2 * pair + 1, second * cosine + first * sine);
  }
}

}  // namespace

void cuda_rotate(const RotaryCall& call, Value value, void* stream) {
  if (call.num_tokens == 0) return;
  with_type(value, [&](auto v) {
    launch({"rotate", blocks(call.num_tokens), stream}, rotate<decltype(v)>, call);
  });
}

}  // namespace sequela
