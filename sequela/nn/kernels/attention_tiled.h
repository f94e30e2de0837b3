#pragma once

// Shared by the forward and the backward pass of tiled attention.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sequela/nn/kernels/attention_kernels.h"
#include "sequela/nn/kernels/attention_tile.h"

namespace sequela {

inline constexpr int64_t kAttentionTile = 64;

// Which tiles of 64 tokens meet: query tile b needs the key tiles [first_key_tile[b],
// last_key_tile[b]].
struct TilePlan {
  int64_t num_tokens, num_tiles, window;
  const int32_t* token_starts;
  std::vector<int32_t> token_lasts;                    // of bidirectional attention only
  std::vector<int64_t> first_key_tile, last_key_tile;  // ascending
  int64_t max_span = 1;                                // key tiles of one query tile, at most

  TilePlan(const AttentionInputs& inputs)
      : num_tokens(inputs.q_THD.size(0)),
        num_tiles((num_tokens + kAttentionTile - 1) / kAttentionTile),
        window(inputs.window),
        token_starts(inputs.sequences->token_starts.data()) {
    if (inputs.direction == AttentionDirection::bidirectional) {
      window = num_tokens;
      for (int64_t s = 0; s < inputs.sequences->num_sequences(); ++s) {
        const int32_t end = inputs.sequences->host_offsets[s + 1];
        token_lasts.resize(end, end - 1);
      }
    }
    for (int64_t b = 0; b < num_tiles; ++b) {
      first_key_tile.push_back(first_key(b * kAttentionTile) / kAttentionTile);
      last_key_tile.push_back(last_key(b * kAttentionTile + rows_of(b) - 1) / kAttentionTile);
      max_span = std::max(max_span, span(b));
    }
  }

  int64_t first_key(int64_t query) const {
    return std::max<int64_t>(token_starts[query], query - window + 1);
  }
  int64_t last_key(int64_t query) const { return token_lasts.empty() ? query : token_lasts[query]; }
  int64_t span(int64_t tile) const { return last_key_tile[tile] - first_key_tile[tile] + 1; }
  int64_t rows_of(int64_t tile) const {
    return std::min(kAttentionTile, num_tokens - tile * kAttentionTile);
  }
};

// One head's column of a [T, H, D] view.
template <class In>
struct HeadView {
  In* data;
  int64_t stride;

  HeadView(const at::Tensor& x_THD, int64_t head)
      : data(static_cast<In*>(x_THD.data_ptr()) + head * x_THD.size(2)), stride(x_THD.stride(0)) {}
  In* row(int64_t t) const { return data + t * stride; }
};

struct RotaryTables {
  const float* cosines = nullptr;
  const float* sines = nullptr;
  int64_t half = 0;

  explicit RotaryTables(const AttentionInputs& inputs) {
    if (!inputs.cos_TR.defined()) return;
    cosines = inputs.cos_TR.const_data_ptr<float>();
    sines = inputs.sin_TR.const_data_ptr<float>();
    half = inputs.cos_TR.size(1);
  }
  RotaryRows rows(int64_t t) const {
    return cosines == nullptr ? RotaryRows{nullptr, nullptr}
                              : RotaryRows{cosines + t * half, sines + t * half};
  }
};

inline constexpr RotaryRows kNoRotation = {nullptr, nullptr};

template <class In, class Tile>
void tiled_attention_forward(const AttentionInputs& inputs, const AttentionTileOps<In, Tile>& ops,
                             const at::Tensor& out_THD, const at::Tensor& logsumexp_HT);
template <class In, class Tile>
void tiled_attention_backward(const AttentionInputs& inputs, const AttentionTileOps<In, Tile>& ops,
                              const at::Tensor& out_THD, const at::Tensor& logsumexp_HT,
                              const at::Tensor& grad_out_THD, const AttentionGradients& gradients);

}  // namespace sequela
