#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sequela/model/encoder_config.h"

namespace sequela {

// How keys and values are kept. bf16 halves the memory; its rounding (2^-9) enters the result.
enum class KeyPrecision : uint8_t { fp32, bf16 };

// What a sequence leaves behind in the layers of an encoder, all that its next token needs: its
// size does not grow with the sequence once the attention window is full.
struct EncoderState {
  int64_t num_tokens = 0;
  // Per hawk layer: x of the last three tokens, oldest first, then the RG-LRU's state; [4, H] each.
  std::vector<float> recurrent;
  // Per attention layer the keys (rotated) and values of the last `window` tokens: token i is in
  // slot i % window, slot s in chunk s / kSlotsPerChunk. A chunk is
  // [attention layers][keys, values][kSlotsPerChunk][H].
  std::vector<std::unique_ptr<std::byte[]>> chunks;
};

// Sizes and places within the states of one encoder.
class EncoderStateLayout {
 public:
  EncoderStateLayout(const EncoderConfig& config, KeyPrecision keys);

  KeyPrecision keys() const { return keys_; }
  int64_t window() const { return window_; }
  int64_t hidden_size() const { return hidden_; }
  // Number of layers of the layer's own kind before it.
  int64_t rank_of(int64_t layer) const { return ranks_[layer]; }

  int64_t recurrent_size() const { return num_hawk_ * 4 * hidden_; }  // floats
  float* recurrent_of(EncoderState& state, int64_t layer) const {
    return state.recurrent.data() + rank_of(layer) * 4 * hidden_;
  }
  int64_t row_bytes() const { return hidden_ * (keys_ == KeyPrecision::bf16 ? 2 : 4); }
  int64_t chunk_bytes() const;
  int64_t keys_offset(int64_t layer) const;  // bytes, within a chunk
  int64_t values_offset(int64_t layer) const;

  int64_t num_slots(int64_t num_tokens) const { return std::min(num_tokens, window_); }
  int64_t num_chunks(int64_t num_tokens) const;
  // Memory of the state of a sequence that long; the same from `window` tokens on.
  int64_t bytes(int64_t num_tokens) const;

  // Makes room for a sequence that long; never gives any back.
  void reserve(EncoderState& state, int64_t num_tokens) const;

 private:
  KeyPrecision keys_;
  int64_t hidden_ = 0, window_ = 0, num_hawk_ = 0, num_attention_ = 0;
  std::vector<int64_t> ranks_;
};

}  // namespace sequela
