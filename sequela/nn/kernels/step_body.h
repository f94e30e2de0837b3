#pragma once

// Bodies of step_kernels.h; included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/hawk_tile_ops.h"
#include "sequela/nn/kernels/step_kernels.h"

namespace sequela {
namespace {

// The convolution's value of 16 channels; moves the history on.
SEQUELA_INLINE Floats convolve_step(const HawkStepRows& rows, int64_t c) {
  const int64_t width = rows.width;
  Floats before[3];  // oldest first
  for (int i = 0; i < 3; ++i)
    before[i] = rows.is_start ? Floats{} : load(rows.history + i * width + c);
  const Floats now = load(rows.x + c);
  const Floats value = load(rows.conv_bias + c) + load(rows.conv_weight + 3 * width + c) * now +
                       load(rows.conv_weight + 2 * width + c) * before[2] +
                       load(rows.conv_weight + width + c) * before[1] +
                       load(rows.conv_weight + c) * before[0];
  store(rows.history + c, before[1]);
  store(rows.history + width + c, before[2]);
  store(rows.history + 2 * width + c, now);
  return value;
}

// gate[c..c+16] = sum_i conv[i] weight[i][c..c+16] within a block of `size` channels.
SEQUELA_INLINE Floats gate_step(const float* conv, const float* weight, int64_t size, int64_t c) {
  Floats sums[4] = {};
  for (int64_t i = 0; i < size; i += 4) {
    for (int k = 0; k < 4; ++k) sums[k] += conv[i + k] * load(weight + (i + k) * size + c);
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void hawk_step(const HawkStepRows& rows) {
  float* conv = rows.scratch;
  for (int64_t c = 0; c < rows.width; c += kLanes) store(conv + c, convolve_step(rows, c));
  const int64_t size = rows.width / rows.num_blocks;
  for (int64_t first = 0; first < rows.width; first += size) {
    const float* block = conv + first;
    for (int64_t c = 0; c < size; c += kLanes) {
      const int64_t at = first + c;
      const Floats a_gate = sigmoid(load(rows.a_gate_bias + at) +
                                    gate_step(block, rows.a_gate_weight + first * size, size, c));
      const Floats input_gate =
          sigmoid(load(rows.input_gate_bias + at) +
                  gate_step(block, rows.input_gate_weight + first * size, size, c));
      const Decay decay = decay_of(load(rows.decay + at) * kLog2E * a_gate);
      const Floats input = load(block + c) * input_gate;
      const Floats state =
          rows.is_start ? input
                        : decay.a * load(rows.state + at) + input * sqrt(decay.one_minus_square);
      store(rows.state + at, state);
      const Floats y = load(rows.y + at);
      store(rows.out + at, state * y * gelu_gate(y));
    }
  }
}

// Scores of one head, then the weights of its softmax; returns their sum.
SEQUELA_INLINE float softmax_weights(float* scores, int64_t count) {
  float top = scores[0];
  for (int64_t s = 1; s < count; ++s) top = scores[s] > top ? scores[s] : top;
  Floats total = {};
  int64_t s = 0;
  for (; s + kLanes <= count; s += kLanes) {
    const Floats weight = exp2((load(scores + s) - top) * kLog2E);
    store(scores + s, weight);
    total += weight;
  }
  float rest = 0;
  if (s < count) {
    const Floats weight = exp2((load_part(scores + s, count - s) - top) * kLog2E);
    store_part(scores + s, weight, count - s);
    for (int64_t i = s; i < count; ++i) rest += scores[i];
  }
  return sum(total) + rest;
}

template <class Key>
void attention_step(const AttentionStepRows& rows) {
  const int64_t size = rows.head_size, count = rows.num_slots;
  const float scale = 1 / __builtin_sqrtf(static_cast<float>(size));
  for (int64_t s = 0; s < count; ++s) {
    const Key* key = rows.row<Key>(s, rows.keys_offset);
    for (int64_t h = 0; h < rows.num_heads; ++h) {
      Floats dot = {};
      for (int64_t d = h * size; d < (h + 1) * size; d += kLanes)
        dot += load(rows.q + d) * load(key + d);
      rows.scores[h * count + s] = scale * sum(dot);
    }
  }
  for (int64_t h = 0; h < rows.num_heads; ++h) {
    float* scores = rows.scores + h * count;
    const float inverse = 1 / softmax_weights(scores, count);
    for (int64_t s = 0; s < count; ++s) scores[s] *= inverse;
  }
  for (int64_t i = 0; i < rows.num_heads * size; i += kLanes) store(rows.out + i, Floats{});
  for (int64_t s = 0; s < count; ++s) {
    const Key* value = rows.row<Key>(s, rows.values_offset);
    for (int64_t h = 0; h < rows.num_heads; ++h) {
      const float weight = rows.scores[h * count + s];
      for (int64_t d = h * size; d < (h + 1) * size; d += kLanes)
        store(rows.out + d, load(rows.out + d) + weight * load(value + d));
    }
  }
}

constexpr StepOps step_ops() {
  return {hawk_step, {attention_step<float>, attention_step<BFloat16>}};
}

}  // namespace
}  // namespace sequela
