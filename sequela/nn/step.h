#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "sequela/nn/kernels/step_kernels.h"
#include "sequela/nn/recurrence.h"

namespace sequela {

// The mixers of a layer for one token of one sequence, from what the tokens before it left behind;
// the same functions as hawk_forward (recurrence.h) and attention_forward (attention.h), which see
// whole sequences. Plain pointers, since a token's rows lie in the memory of its own sequence.
//
//   W = width, B = W / gate blocks, H = heads, D = head size

// One hawk layer's parameters as the step reads them; float32, refers to the tensors.
struct HawkStepParameters {
  explicit HawkStepParameters(const HawkParameters& parameters);

  HawkParameters tensors;
  at::Tensor decay_W;  // -8 softplus(a_param)
};

struct HawkStep {
  const float* x_W = nullptr;
  const float* y_W = nullptr;
  bool is_start = false;        // the sequence's first token: history and state count as 0
  float* history_3W = nullptr;  // x of the last three tokens, oldest first; moved on
  float* state_W = nullptr;     // moved on
  float* out_W = nullptr;
};

// Cost: reading the gates' blocks, 2 W B floats. `scratch`: at least 3 W floats.
// Reference: kernels/step_reference.cc.
void hawk_step(const HawkStepParameters& parameters, const HawkStep& step,
               std::span<float> scratch);

// Attention of one token to the keys and values of its sequence's last tokens, which lie in slots
// of no particular order: slot s is row s % kSlotsPerChunk of chunk s / kSlotsPerChunk, and a
// chunk's rows [H * D] lie one after another.
struct AttentionStep {
  const float* q_HD = nullptr;  // rotated
  const void* const* chunks = nullptr;
  int64_t keys_offset = 0;    // bytes from a chunk's begin to its first key, rotated
  int64_t values_offset = 0;  // bytes from a chunk's begin to its first value
  bool is_bf16 = false;       // type of keys and values, else float32
  int64_t num_slots = 0;      // >= 1, the token's own among them
  int64_t num_heads = 0;
  int64_t head_size = 0;
  float* out_HD = nullptr;
};

// softmax(q k / sqrt(D)) v over the slots. Cost: reading them, 2 slots H D values. `scratch`: at
// least H * num_slots floats. Reference: kernels/step_reference.cc.
void attention_step(const AttentionStep& step, std::span<float> scratch);

}  // namespace sequela
