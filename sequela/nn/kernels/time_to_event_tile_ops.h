#pragma once

// Bodies of time_to_event_tile.h; included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/tile_ops.h"
#include "sequela/nn/kernels/time_to_event_tile.h"

namespace sequela {
namespace {

struct CellSums {
  Floats survival = {}, event = {};
};

// Adds 16 cells' cost to the sums and returns u 2^logit - e.
SEQUELA_INLINE Floats add_cells(Floats logit, Floats risk, CellSums& sums) {
  const Ints bits = as_ints(risk);
  const Ints is_event = bits < 0;
  const Floats seconds = as_floats(bits & 0x7fffffff);
  const Floats expected = select(seconds > 0.0f, exp2(logit) * seconds, Floats{});
  sums.survival += expected;
  sums.event += select(is_event, logit, Floats{});
  return expected - select(is_event, splat(1.0f), Floats{});
}

LossParts loss(const LossTile& tile) {
  CellSums sums;
  for (int64_t r = 0; r < tile.num_rows; ++r) {
    for (int64_t c = 0; c < kTile; c += kLanes) {
      const Floats logit =
          load(tile.logits + r * kTile + c) + load(tile.bias + tile.bins[r] * tile.stride + c);
      add_cells(logit, load(tile.risk + r * kTile + c), sums);
    }
  }
  return {sum(sums.survival), sum(sums.event)};
}

LossParts loss_by_task(const LossTile& tile, float* costs) {
  constexpr float kLn2 = 0.693147180559945f;
  CellSums sums;
  for (int64_t r = 0; r < tile.num_rows; ++r) {
    for (int64_t c = 0; c < kTile; c += kLanes) {
      const Floats logit =
          load(tile.logits + r * kTile + c) + load(tile.bias + tile.bins[r] * tile.stride + c);
      CellSums cell;
      add_cells(logit, load(tile.risk + r * kTile + c), cell);
      sums.survival += cell.survival;
      sums.event += cell.event;
      store(costs + c, load(costs + c) + cell.survival - cell.event * kLn2);
    }
  }
  return {sum(sums.survival), sum(sums.event)};
}

template <class Tile>
LossParts loss_and_gradient(const LossTile& tile, Tile* gradients, int64_t stride) {
  CellSums sums;
  for (int64_t r = 0; r < tile.num_rows; ++r) {
    const int64_t bin_row = tile.bins[r] * tile.stride;
    for (int64_t c = 0; c < kTile; c += kLanes) {
      const Floats logit = load(tile.logits + r * kTile + c) + load(tile.bias + bin_row + c);
      const Floats gradient =
          add_cells(logit, load(tile.risk + r * kTile + c), sums) * tile.gradient_scale;
      store(gradients + r * stride + c, gradient);
      store(tile.bias_gradients + bin_row + c, load(tile.bias_gradients + bin_row + c) + gradient);
    }
  }
  for (int64_t r = tile.num_rows; r < kTile; ++r)
    std::memset(gradients + r * stride, 0, kTile * sizeof(Tile));
  return {sum(sums.survival), sum(sums.event)};
}

template <class Tile>
constexpr TimeToEventOps<Tile> time_to_event_ops() {
  return {pack_transposed, loss, loss_by_task, loss_and_gradient<Tile>};
}

}  // namespace
}  // namespace sequela
