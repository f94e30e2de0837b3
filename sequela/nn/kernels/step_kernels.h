#pragma once

#include <cstdint>

namespace sequela {

// Rows of a chunk of keys or values; a constant, since every look at a slot divides by it.
inline constexpr int64_t kSlotsPerChunk = 16;

// The steps of nn/step.h per instruction set, on plain pointers. Widths of a gate block and of a
// head are multiples of 16, except for the reference.

struct HawkStepRows {
  const float* x;
  const float* y;
  bool is_start;
  float* history;  // [3][width]
  float* state;
  float* out;
  const float* conv_weight;  // [4][width]
  const float* conv_bias;
  const float* a_gate_weight;  // [blocks][in][out]
  const float* a_gate_bias;
  const float* input_gate_weight;
  const float* input_gate_bias;
  const float* decay;
  int64_t width, num_blocks;
  float* scratch;  // [3][width]
};

struct AttentionStepRows {
  const float* q;
  const void* const* chunks;
  int64_t keys_offset, values_offset, num_slots;
  int64_t num_heads, head_size;
  float* out;
  float* scores;  // [heads][num_slots]

  // First value of a slot's key or value row.
  template <class T>
  const T* row(int64_t slot, int64_t offset) const {
    const char* chunk = static_cast<const char*>(chunks[slot / kSlotsPerChunk]) + offset;
    return reinterpret_cast<const T*>(chunk) + slot % kSlotsPerChunk * num_heads * head_size;
  }
};

struct StepOps {
  void (*hawk)(const HawkStepRows& rows);
  void (*attention[2])(const AttentionStepRows& rows);  // 1 = bfloat16 keys and values
};

extern const StepOps kStepAvx2;
extern const StepOps kStepAvx512;
extern const StepOps kStepAvx512Bf16;

void hawk_step_reference(const HawkStepRows& rows);
void attention_step_reference(const AttentionStepRows& rows, bool is_bf16);

}  // namespace sequela
