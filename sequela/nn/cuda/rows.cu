// RMSNorm and swiglu, one block per row.

#include "sequela/nn/cuda/device.cuh"

namespace sequela {
namespace {

template <class Branch, class Out>
__global__ void norm_forward(NormForwardRows rows) {
  const int64_t t = blockIdx.x;
  const float* x = rows.x + t * rows.x_stride;
  const Branch* branch = static_cast<const Branch*>(rows.branch) + t * rows.branch_stride;
  float* sum = rows.branch == nullptr ? nullptr : rows.sum + t * rows.sum_stride;
  float squares = 0;
  for (int64_t c = threadIdx.x; c < rows.size; c += kBlock) {
    const float value = sum == nullptr ? x[c] : x[c] + get(branch + c);
    if (sum != nullptr) sum[c] = value;
    squares += value * value;
  }
  const float inverse = rsqrtf(block_sum(squares, shared_floats) / rows.size + rows.epsilon);
  if (threadIdx.x == 0) rows.inverse_rms[t] = inverse;
  const float* normed = sum == nullptr ? x : sum;
  Out* out = static_cast<Out*>(rows.out) + t * rows.out_stride;
  const int64_t num_normed = rows.size - rows.num_features;
  for (int64_t c = threadIdx.x; c < rows.size; c += kBlock) {
    put(out + c, c < num_normed ? normed[c] * inverse * rows.weight[c]
                                : rows.features[t * rows.features_stride + c - num_normed]);
  }
}

template <class Grad, class Copy>
__global__ void norm_backward(NormBackwardRows rows, int64_t num_rows) {
  float* grad_weight = rows.grad_weight + blockIdx.x * rows.size;
  const int64_t limit = rows.size - rows.num_overwritten;
  for (int64_t t = blockIdx.x; t < num_rows; t += gridDim.x) {
    const Grad* grad_out = static_cast<const Grad*>(rows.grad_out) + t * rows.grad_out_stride;
    const float* x = rows.sum + t * rows.sum_stride;
    const float inverse = rows.inverse_rms[t];
    float products = 0;
    for (int64_t c = threadIdx.x; c < limit; c += kBlock) {
      const float share = get(grad_out + c) * x[c] * inverse;
      grad_weight[c] += share;
      products += share * rows.weight[c];
    }
    const float pull = block_sum(products, shared_floats) / rows.size * inverse;
    float* grad_x = rows.grad_x + t * rows.grad_x_stride;
    for (int64_t c = threadIdx.x; c < rows.size; c += kBlock) {
      const float direct = c < limit ? get(grad_out + c) * rows.weight[c] : 0.0f;
      const float grad = inverse * (direct - x[c] * pull) + (rows.is_first ? 0.0f : grad_x[c]);
      grad_x[c] = grad;
      if (rows.copy != nullptr) put(static_cast<Copy*>(rows.copy) + t * rows.copy_stride + c, grad);
    }
  }
}

template <class In>
__global__ void swiglu_forward(SwigluRows rows) {
  const In* gate = static_cast<const In*>(rows.ff) + blockIdx.x * rows.ff_stride;
  In* out = static_cast<In*>(rows.result) + blockIdx.x * rows.result_stride;
  for (int64_t c = threadIdx.x; c < rows.size; c += kBlock) {
    const float x = get(gate + c);
    put(out + c, x * sigmoid(x) * get(gate + rows.size + c));
  }
}

template <class In>
__global__ void swiglu_backward(SwigluRows rows) {
  const In* gate = static_cast<const In*>(rows.ff) + blockIdx.x * rows.ff_stride;
  const In* grad_out = static_cast<const In*>(rows.grad_out) + blockIdx.x * rows.grad_out_stride;
  In* result = static_cast<In*>(rows.result) + blockIdx.x * rows.result_stride;
  for (int64_t c = threadIdx.x; c < rows.size; c += kBlock) {
    const float x = get(gate + c), grad = get(grad_out + c), s = sigmoid(x);
    put(result + c, grad * get(gate + rows.size + c) * s * (1.0f + x * (1.0f - s)));
    put(result + rows.size + c, grad * x * s);
  }
}

}  // namespace

void cuda_norm_forward(const NormForwardRows& rows, Value branch, Value out, int64_t num_rows,
                       void* stream) {
  if (num_rows == 0) return;
  with_type(branch, [&](auto b) {
    with_type(out, [&](auto o) {
      launch({"norm_forward", blocks(num_rows), stream, kSums},
             norm_forward<decltype(b), decltype(o)>, rows);
    });
  });
}

void cuda_norm_backward(const NormBackwardRows& rows, Value grad_out, Value copy, int64_t num_rows,
                        void* stream) {
  if (num_rows == 0) return;
  const dim3 grid = blocks(num_rows < kNormSums ? num_rows : kNormSums);
  with_type(grad_out, [&](auto g) {
    with_type(copy, [&](auto c) {
      launch({"norm_backward", grid, stream, kSums}, norm_backward<decltype(g), decltype(c)>, rows,
             num_rows);
    });
  });
}

void cuda_swiglu_forward(const SwigluRows& rows, Value value, int64_t num_rows, void* stream) {
  if (num_rows == 0) return;
  with_type(value, [&](auto v) {
    launch({"swiglu_forward", blocks(num_rows), stream}, swiglu_forward<decltype(v)>, rows);
  });
}

void cuda_swiglu_backward(const SwigluRows& rows, Value value, int64_t num_rows, void* stream) {
  if (num_rows == 0) return;
  with_type(value, [&](auto v) {
    launch({"swiglu_backward", blocks(num_rows), stream}, swiglu_backward<decltype(v)>, rows);
  });
}

}  // namespace sequela
