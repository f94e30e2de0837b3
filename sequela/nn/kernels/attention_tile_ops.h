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

SEQUELA_INLINE Ints is_within(int64_t column, int32_t first, int32_t last) {
  const Ints columns = lane_ids() + static_cast<int32_t>(column);
  return (columns >= first) & (columns <= last);
}

// The weights' exponential, as exact as their type.
SEQUELA_INLINE Floats weight_exp2(Floats x, const float*) {
  return exp2(x);
}
SEQUELA_INLINE Floats weight_exp2(Floats x, const BFloat16*) {
  return exp2_coarse(x);
}

// A row's scores: the vectors [begin, end) hold columns that it attends to; [inner_begin,
// inner_end) hold only such.
struct RowSpan {
  int64_t begin, inner_begin, inner_end, end;

  SEQUELA_INLINE RowSpan(int32_t first, int32_t last) {
    begin = first / kLanes * kLanes;
    end = last < 0 ? begin : last / kLanes * kLanes + kLanes;
    inner_begin = (first + kLanes - 1) / kLanes * kLanes;
    inner_end = (last + 1) / kLanes * kLanes;
    if (inner_end < inner_begin) inner_begin = inner_end = end;
  }

  // Calls inner(column) or edge(column) for each vector in order.
  template <class Inner, class Edge>
  SEQUELA_INLINE void visit(Inner inner, Edge edge) const {
    int64_t c = begin;
    for (; c < inner_begin; c += kLanes) edge(c);
    for (; c < inner_end; c += kLanes) inner(c);
    for (; c < end; c += kLanes) edge(c);
  }
};

template <class Tile>
void softmax(const ScoreStrip& strip, Tile* weights, float* largest_scores, float* sums) {
  for (int64_t r = 0; r < kTile; ++r) {
    const float* scores = strip.scores + r * strip.stride;
    Tile* out = weights + r * strip.stride;
    const int32_t first = strip.first_columns[r], last = strip.last_columns[r];
    const RowSpan span(first, last);
    Floats top = splat(-__builtin_inff());
    span.visit([&](int64_t c) { top = max(top, load(scores + c)); },
               [&](int64_t c) {
                 top = max(top, select(is_within(c, first, last), load(scores + c), top));
               });
    const float row_top = largest(top);
    const float shift = row_top * strip.scale;
    Floats total = {};
    auto put = [&](int64_t c, Floats weight) {
      total += weight;
      store(out + c, weight);
    };
    for (int64_t c = 0; c < span.begin; c += kLanes) store(out + c, Floats{});
    span.visit([&](int64_t c) { put(c, weight_exp2(load(scores + c) * strip.scale - shift, out)); },
               [&](int64_t c) {
                 const Floats weight = weight_exp2(load(scores + c) * strip.scale - shift, out);
                 put(c, select(is_within(c, first, last), weight, Floats{}));
               });
    for (int64_t c = span.end; c < strip.num_columns; c += kLanes) store(out + c, Floats{});
    largest_scores[r] = row_top;
    sums[r] = sum(total);
  }
}

SEQUELA_INLINE void store_packed(float*, int64_t, int64_t, Floats, Floats) {}
SEQUELA_INLINE void store_packed(BFloat16* to, int64_t row, int64_t column, Floats first,
                                 Floats second) {
  store_interleaved(to + row * kTile + 2 * column, first, second);
}

struct QueryLanes {
  Floats logsumexp2, delta;
  Ints first_key, last_key;
};

struct WeightAndGradient {
  Floats weight, grad;
};

template <bool is_masked, class Tile>
SEQUELA_INLINE WeightAndGradient backward_lanes(const ScorePair& pair, const QueryLanes& query,
                                                int64_t key, int64_t column, const Tile* type) {
  Floats weight =
      weight_exp2(load(pair.scores + key * kTile + column) * pair.scale - query.logsumexp2, type);
  if (is_masked) {
    const int32_t k = static_cast<int32_t>(key);
    weight = select((query.first_key <= k) & (query.last_key >= k), weight, Floats{});
  }
  const Floats grad =
      load(pair.grad_weights + key * kTile + column) * pair.grad_scale - query.delta;
  return {weight, weight * grad};
}

template <bool is_masked, class Tile>
void softmax_backward_tile(const ScorePair& pair, Tile* weights, Tile* grad_scores,
                           Tile* packed_grad_scores) {
  for (int64_t c = 0; c < kTile; c += kLanes) {
    const QueryLanes query{load(pair.logsumexp2 + c), load(pair.delta + c) * pair.grad_scale,
                           load_lanes<Ints>(pair.first_keys + c),
                           load_lanes<Ints>(pair.last_keys + c)};
    for (int64_t k = 0; k < kTile; k += 2) {
      const WeightAndGradient first = backward_lanes<is_masked>(pair, query, k, c, weights);
      const WeightAndGradient second = backward_lanes<is_masked>(pair, query, k + 1, c, weights);
      store(weights + k * kTile + c, first.weight);
      store(weights + (k + 1) * kTile + c, second.weight);
      store(grad_scores + k * kTile + c, first.grad);
      store(grad_scores + (k + 1) * kTile + c, second.grad);
      store_packed(packed_grad_scores, k, c, first.grad, second.grad);
    }
  }
}

template <class Tile>
void softmax_backward(const ScorePair& pair, Tile* weights, Tile* grad_scores,
                      Tile* packed_grad_scores) {
  if (pair.is_masked)
    softmax_backward_tile<true>(pair, weights, grad_scores, packed_grad_scores);
  else
    softmax_backward_tile<false>(pair, weights, grad_scores, packed_grad_scores);
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
