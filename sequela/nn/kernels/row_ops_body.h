#pragma once

// Bodies of row_ops.h; included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/row_ops.h"
#include "sequela/nn/kernels/simd.h"

namespace sequela {
namespace {

// Sixteen columns, or the fewer that are left at a row's end (others read as 0 and are not
// written).
struct Whole {
  template <class T>
  SEQUELA_INLINE Floats get(const T* from) const {
    return load(from);
  }
  template <class T>
  SEQUELA_INLINE void put(T* to, Floats x) const {
    store(to, x);
  }
};

struct Part {
  int64_t count;
  template <class T>
  SEQUELA_INLINE Floats get(const T* from) const {
    return load_part(from, count);
  }
  template <class T>
  SEQUELA_INLINE void put(T* to, Floats x) const {
    store_part(to, x, count);
  }
};

// Calls body(column, Whole or Part) along a row.
template <class Body>
SEQUELA_INLINE void for_columns(int64_t size, Body body) {
  int64_t c = 0;
  for (; c + kLanes <= size; c += kLanes) body(c, Whole{});
  if (c < size) body(c, Part{size - c});
}

template <class Branch, class Out>
void norm_forward(const NormForwardRows& rows, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    const float* sum = rows.x + t * rows.x_stride;
    Floats squares = {};
    if (rows.branch == nullptr) {
      for_columns(rows.size, [&](int64_t c, auto lanes) {
        const Floats x = lanes.get(sum + c);
        squares += x * x;
      });
    } else {
      const float* x = sum;
      const Branch* branch = static_cast<const Branch*>(rows.branch) + t * rows.branch_stride;
      float* to = rows.sum + t * rows.sum_stride;
      for_columns(rows.size, [&](int64_t c, auto lanes) {
        const Floats value = lanes.get(x + c) + lanes.get(branch + c);
        lanes.put(to + c, value);
        squares += value * value;
      });
      sum = to;
    }
    const float inverse =
        1 / __builtin_sqrtf(::sequela::sum(squares) / static_cast<float>(rows.size) + rows.epsilon);
    rows.inverse_rms[t] = inverse;
    Out* out = static_cast<Out*>(rows.out) + t * rows.out_stride;
    for_columns(rows.size, [&](int64_t c, auto lanes) {
      lanes.put(out + c, lanes.get(sum + c) * inverse * lanes.get(rows.weight + c));
    });
    if (rows.features == nullptr) continue;
    const float* features = rows.features + t * rows.features_stride;
    Out* last = out + rows.size - rows.num_features;
    for_columns(rows.num_features,
                [&](int64_t c, auto lanes) { lanes.put(last + c, lanes.get(features + c)); });
  }
}

template <class Grad, class Copy>
void norm_backward(const NormBackwardRows& rows, int64_t begin, int64_t end) {
  const int32_t limit = static_cast<int32_t>(rows.size - rows.num_overwritten);
  for (int64_t t = begin; t < end; ++t) {
    const Grad* grad_out = static_cast<const Grad*>(rows.grad_out) + t * rows.grad_out_stride;
    const float* x = rows.sum + t * rows.sum_stride;
    float* grad_x = rows.grad_x + t * rows.grad_x_stride;
    const float inverse = rows.inverse_rms[t];
    auto grad_at = [&](int64_t c, auto lanes) {
      return select(lane_ids() + static_cast<int32_t>(c) < limit, lanes.get(grad_out + c),
                    Floats{});
    };
    Floats products = {};
    for_columns(rows.size, [&](int64_t c, auto lanes) {
      const Floats share = grad_at(c, lanes) * lanes.get(x + c) * inverse;
      lanes.put(rows.grad_weight + c, lanes.get(rows.grad_weight + c) + share);
      products += share * lanes.get(rows.weight + c);
    });
    const float pull = sum(products) / static_cast<float>(rows.size) * inverse;
    Copy* copy =
        rows.copy == nullptr ? nullptr : static_cast<Copy*>(rows.copy) + t * rows.copy_stride;
    for_columns(rows.size, [&](int64_t c, auto lanes) {
      Floats grad =
          inverse * (grad_at(c, lanes) * lanes.get(rows.weight + c) - lanes.get(x + c) * pull);
      if (!rows.is_first) grad += lanes.get(grad_x + c);
      lanes.put(grad_x + c, grad);
      if (copy != nullptr) lanes.put(copy + c, grad);
    });
  }
}

template <class In>
void swiglu_forward(const SwigluRows& rows, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    const In* gate = static_cast<const In*>(rows.ff) + t * rows.ff_stride;
    const In* value = gate + rows.size;
    In* out = static_cast<In*>(rows.result) + t * rows.result_stride;
    for_columns(rows.size, [&](int64_t c, auto lanes) {
      const Floats x = lanes.get(gate + c);
      lanes.put(out + c, x * sigmoid(x) * lanes.get(value + c));
    });
  }
}

template <class In>
void swiglu_backward(const SwigluRows& rows, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    const In* gate = static_cast<const In*>(rows.ff) + t * rows.ff_stride;
    const In* value = gate + rows.size;
    const In* grad_out = static_cast<const In*>(rows.grad_out) + t * rows.grad_out_stride;
    In* grad_gate = static_cast<In*>(rows.result) + t * rows.result_stride;
    In* grad_value = grad_gate + rows.size;
    for_columns(rows.size, [&](int64_t c, auto lanes) {
      const Floats x = lanes.get(gate + c), grad = lanes.get(grad_out + c), s = sigmoid(x);
      lanes.put(grad_gate + c, grad * lanes.get(value + c) * s * (1.0f + x * (1.0f - s)));
      lanes.put(grad_value + c, grad * x * s);
    });
  }
}

template <class In>
void add_bias(const BiasRows& rows, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    In* x = static_cast<In*>(rows.x) + t * rows.x_stride;
    for_columns(rows.size, [&](int64_t c, auto lanes) {
      lanes.put(x + c, lanes.get(x + c) + lanes.get(rows.bias + c));
    });
  }
}

template <class In>
void accumulate(float* total, const void* part, int64_t size) {
  const In* values = static_cast<const In*>(part);
  for_columns(size, [&](int64_t c, auto lanes) {
    lanes.put(total + c, lanes.get(total + c) + lanes.get(values + c));
  });
}

void add_scaled(float* total, const float* row, float factor, int64_t size) {
  for_columns(size, [&](int64_t c, auto lanes) {
    lanes.put(total + c, lanes.get(total + c) + factor * lanes.get(row + c));
  });
}

constexpr RowOps row_ops() {
  return {{{norm_forward<float, float>, norm_forward<float, BFloat16>},
           {norm_forward<BFloat16, float>, norm_forward<BFloat16, BFloat16>}},
          {{norm_backward<float, float>, norm_backward<float, BFloat16>},
           {norm_backward<BFloat16, float>, norm_backward<BFloat16, BFloat16>}},
          {swiglu_forward<float>, swiglu_forward<BFloat16>},
          {swiglu_backward<float>, swiglu_backward<BFloat16>},
          {add_bias<float>, add_bias<BFloat16>},
          {accumulate<float>, accumulate<BFloat16>},
          add_scaled};
}

}  // namespace
}  // namespace sequela
