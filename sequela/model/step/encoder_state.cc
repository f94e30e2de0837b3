#include "sequela/model/step/encoder_state.h"

#include "sequela/nn/step.h"

namespace sequela {

EncoderStateLayout::EncoderStateLayout(const EncoderConfig& config, KeyPrecision keys)
    : keys_(keys), hidden_(config.hidden_size), window_(config.attention_width) {
  for (int64_t i = 0; i < config.n_layers; ++i)
    ranks_.push_back(config.is_hawk_layer(i) ? num_hawk_++ : num_attention_++);
}

int64_t EncoderStateLayout::chunk_bytes() const {
  return num_attention_ * 2 * kSlotsPerChunk * row_bytes();
}

int64_t EncoderStateLayout::keys_offset(int64_t layer) const {
  return rank_of(layer) * 2 * kSlotsPerChunk * row_bytes();
}

int64_t EncoderStateLayout::values_offset(int64_t layer) const {
  return keys_offset(layer) + kSlotsPerChunk * row_bytes();
}

int64_t EncoderStateLayout::num_chunks(int64_t num_tokens) const {
  if (num_attention_ == 0) return 0;
  return (num_slots(num_tokens) + kSlotsPerChunk - 1) / kSlotsPerChunk;
}

int64_t EncoderStateLayout::bytes(int64_t num_tokens) const {
  return recurrent_size() * static_cast<int64_t>(sizeof(float)) +
         num_chunks(num_tokens) * chunk_bytes();
}

void EncoderStateLayout::reserve(EncoderState& state, int64_t num_tokens) const {
  state.recurrent.resize(recurrent_size());
  const auto wanted = static_cast<size_t>(num_chunks(num_tokens));
  state.chunks.reserve(wanted);
  while (state.chunks.size() < wanted)
    state.chunks.push_back(std::make_unique<std::byte[]>(chunk_bytes()));
}

}  // namespace sequela
