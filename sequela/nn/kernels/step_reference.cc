// The steps as plain loops over channels and slots.

#include <algorithm>
#include <bit>
#include <cmath>

#include "sequela/nn/kernels/step_kernels.h"

namespace sequela {
namespace {

float sigmoid(float x) {
  return 1 / (1 + std::exp(-x));
}

float gelu_tanh(float y) {
  constexpr float kScale = 0.7978845608028654f;  // sqrt(2 / pi)
  return 0.5f * y * (1 + std::tanh(kScale * (y + 0.044715f * y * y * y)));
}

void convolve(const HawkStepRows& rows, float* conv) {
  const int64_t width = rows.width;
  if (rows.is_start) std::fill_n(rows.history, 3 * width, 0.0f);
  for (int64_t c = 0; c < width; ++c) {
    float value = rows.conv_bias[c] + rows.conv_weight[3 * width + c] * rows.x[c];
    for (int64_t i = 0; i < 3; ++i)
      value += rows.conv_weight[i * width + c] * rows.history[i * width + c];
    conv[c] = value;
  }
  std::copy_n(rows.history + width, 2 * width, rows.history);
  std::copy_n(rows.x, width, rows.history + 2 * width);
}

void block_linear(const float* x, const float* weight, int64_t width, int64_t num_blocks,
                  float* out) {
  const int64_t size = width / num_blocks;
  for (int64_t c = 0; c < width; ++c) {
    const int64_t first = c / size * size;
    float sum = 0;
    for (int64_t i = 0; i < size; ++i) sum += x[first + i] * weight[(first + i) * size + c - first];
    out[c] = sum;
  }
}

float value_at(const float* row, int64_t i) {
  return row[i];
}
float value_at(const uint16_t* row, int64_t i) {
  return std::bit_cast<float>(static_cast<uint32_t>(row[i]) << 16);
}

template <class Key>
void attend(const AttentionStepRows& rows, int64_t head) {
  const int64_t size = rows.head_size, first = head * size;
  const float scale = 1 / std::sqrt(static_cast<float>(size));
  float* scores = rows.scores + head * rows.num_slots;
  for (int64_t s = 0; s < rows.num_slots; ++s) {
    const Key* key = rows.row<Key>(s, rows.keys_offset);
    float dot = 0;
    for (int64_t d = first; d < first + size; ++d) dot += rows.q[d] * value_at(key, d);
    scores[s] = scale * dot;
  }
  const float top = *std::max_element(scores, scores + rows.num_slots);
  float total = 0;
  for (int64_t s = 0; s < rows.num_slots; ++s) total += scores[s] = std::exp(scores[s] - top);
  std::fill_n(rows.out + first, size, 0.0f);
  for (int64_t s = 0; s < rows.num_slots; ++s) {
    const Key* value = rows.row<Key>(s, rows.values_offset);
    for (int64_t d = first; d < first + size; ++d)
      rows.out[d] += scores[s] / total * value_at(value, d);
  }
}

}  // namespace

void hawk_step_reference(const HawkStepRows& rows) {
  const int64_t width = rows.width;
  float* conv = rows.scratch;
  float* a_gate = conv + width;
  float* input_gate = a_gate + width;
  convolve(rows, conv);
  block_linear(conv, rows.a_gate_weight, width, rows.num_blocks, a_gate);
  block_linear(conv, rows.input_gate_weight, width, rows.num_blocks, input_gate);
  for (int64_t c = 0; c < width; ++c) {
    const float log_a = rows.decay[c] * sigmoid(a_gate[c] + rows.a_gate_bias[c]);
    const float input = conv[c] * sigmoid(input_gate[c] + rows.input_gate_bias[c]);
    const float root = std::sqrt(-std::expm1(2 * log_a));
    rows.state[c] = rows.is_start ? input : std::exp(log_a) * rows.state[c] + input * root;
    rows.out[c] = rows.state[c] * gelu_tanh(rows.y[c]);
  }
}

void attention_step_reference(const AttentionStepRows& rows, bool is_bf16) {
  for (int64_t h = 0; h < rows.num_heads; ++h)
    is_bf16 ? attend<uint16_t>(rows, h) : attend<float>(rows, h);
}

}  // namespace sequela
