#pragma once

// Bodies of attention_tile.h; included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/attention_tile.h"
#include "sequela/nn/kernels/tile_ops.h"

namespace sequela {
namespace {

SEQUELA_INLINE RowRotation rotation_of(const RotaryRows& rotary, int64_t row, int64_t size,
                                       float direction) {
  if (rotary.cosines == nullptr) return {nullptr, nullptr, direction};
  return {rotary.cosines + row * (size / 2), rotary.sines + row * (size / 2), direction};
}

template <class In, class Tile>
void load_rows(const In* from, int64_t stride, int64_t num_rows, int64_t size, RotaryRows rotary,
               Tile* to) {
  for (int64_t r = 0; r < num_rows; ++r) {
    const RowRotation rotation = rotation_of(rotary, r, size, 1);
    for (int64_t c = 0; c < size; c += kLanes) {
      store(to + r * size + c, rotated(load(from + r * stride + c), rotation, c));
    }
  }
  std::memset(to + num_rows * size, 0, (kTile - num_rows) * size * sizeof(Tile));
}

template <class In>
void store_rows(const float* from, int64_t num_rows, int64_t size, const float* factors,
                RotaryRows rotary, In* to, int64_t stride) {
  for (int64_t r = 0; r < num_rows; ++r) {
    const RowRotation rotation = rotation_of(rotary, r, size, -1);
    const float factor = factors == nullptr ? 1.0f : factors[r];
    for (int64_t c = 0; c < size; c += kLanes) {
      store(to + r * stride + c, rotated(load(from + r * size + c), rotation, c) * factor);
    }
  }
}

void transpose_back(const float* from, int64_t size, float* to) {
  for (int64_t c = 0; c < size; c += kLanes) {
    for (int64_t r = 0; r < kTile; r += kLanes) {
      transpose_block(reinterpret_cast<const uint32_t*>(from) + c * kTile + r, kTile,
                      reinterpret_cast<uint32_t*>(to) + r * size + c, size);
    }
  }
}

constexpr Ints kLaneIds = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

SEQUELA_INLINE Ints is_within(int64_t column, int32_t first, int32_t last) {
  const Ints columns = kLaneIds + static_cast<int32_t>(column);
  return (columns >= first) & (columns <= last);
}

template <class Tile>
void softmax(const ScoreStrip& strip, Tile* weights, float* largest_scores, float* sums) {
  for (int64_t r = 0; r < kTile; ++r) {
    const float* scores = strip.scores + r * strip.stride;
    Tile* out = weights + r * strip.stride;
    const int32_t first = strip.first_columns[r], last = strip.last_columns[r];
    const int64_t begin = first / kLanes * kLanes,
                  end = last < 0 ? begin : last / kLanes * kLanes + kLanes;
    Floats top = splat(-__builtin_inff());
    for (int64_t c = begin; c < end; c += kLanes) {
      top = max(top, select(is_within(c, first, last), load(scores + c), top));
    }
    const float row_top = largest(top);
    const Floats shift = splat(row_top * strip.scale);
    Floats total = {};
    for (int64_t c = 0; c < begin; c += kLanes) store(out + c, Floats{});
    for (int64_t c = begin; c < end; c += kLanes) {
      const Floats weight =
          select(is_within(c, first, last), exp2(load(scores + c) * strip.scale - shift), Floats{});
      total += weight;
      store(out + c, weight);
    }
    for (int64_t c = end; c < strip.num_columns; c += kLanes) store(out + c, Floats{});
    largest_scores[r] = row_top;
    sums[r] = sum(total);
  }
}

SEQUELA_INLINE void store_pair_packed(float*, int64_t, int64_t, Floats, Floats) {}
SEQUELA_INLINE void store_pair_packed(BFloat16* to, int64_t row, int64_t column, Floats first,
                                      Floats second) {
  const Words pairs = (rounded_to_bf16(first) >> 16) | (rounded_to_bf16(second) & 0xffff0000u);
  std::memcpy(to + row * kTile + 2 * column, &pairs, sizeof(pairs));
}

struct QueryLanes {
  Floats logsumexp2, delta;
  Ints first_key, last_key;
};

struct WeightAndGradient {
  Floats weight, grad;
};

SEQUELA_INLINE WeightAndGradient backward_lanes(const ScorePair& pair, const QueryLanes& query,
                                                int64_t key, int64_t column) {
  Floats weight = exp2(load(pair.scores + key * kTile + column) * pair.scale - query.logsumexp2);
  if (pair.is_masked) {
    const int32_t k = static_cast<int32_t>(key);
    weight = select((query.first_key <= k) & (query.last_key >= k), weight, Floats{});
  }
  const Floats grad =
      weight * (load(pair.grad_weights + key * kTile + column) - query.delta) * pair.grad_scale;
  return {weight, grad};
}

template <class Tile>
void softmax_backward(const ScorePair& pair, Tile* weights, Tile* grad_scores,
                      Tile* packed_grad_scores) {
  for (int64_t c = 0; c < kTile; c += kLanes) {
    QueryLanes query{load(pair.logsumexp2 + c), load(pair.delta + c), {}, {}};
    std::memcpy(&query.first_key, pair.first_keys + c, sizeof(Ints));
    std::memcpy(&query.last_key, pair.last_keys + c, sizeof(Ints));
    for (int64_t k = 0; k < kTile; k += 2) {
      const WeightAndGradient first = backward_lanes(pair, query, k, c);
      const WeightAndGradient second = backward_lanes(pair, query, k + 1, c);
      store(weights + k * kTile + c, first.weight);
      store(weights + (k + 1) * kTile + c, second.weight);
      store(grad_scores + k * kTile + c, first.grad);
      store(grad_scores + (k + 1) * kTile + c, second.grad);
      store_pair_packed(packed_grad_scores, k, c, first.grad, second.grad);
    }
  }
}

template <class In>
void dot_rows(const In* a, int64_t a_stride, const In* b, int64_t b_stride, int64_t num_rows,
              int64_t size, float* dots) {
  for (int64_t r = 0; r < num_rows; ++r) {
    Floats total = {};
    for (int64_t c = 0; c < size; c += kLanes)
      total += load(a + r * a_stride + c) * load(b + r * b_stride + c);
    dots[r] = sum(total);
  }
}

template <class In, class Tile>
constexpr AttentionTileOps<In, Tile> attention_ops() {
  return {load_rows<In, Tile>, store_rows<In>,         pack_transposed,
          pack_rows,           unpack_transposed,      transpose_back,
          softmax<Tile>,       softmax_backward<Tile>, dot_rows<In>};
}

}  // namespace
}  // namespace sequela
