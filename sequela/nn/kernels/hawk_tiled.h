#pragma once

// The hawk core by chunks of 64 tokens, one task per gate block.

#include "sequela/nn/kernels/hawk_kernels.h"
#include "sequela/nn/kernels/hawk_tile.h"

namespace sequela {

template <class In, class Tile>
void tiled_hawk_forward(const HawkTileOps<In, Tile>& ops, const at::Tensor& x_TW,
                        const at::Tensor& y_TW, const HawkParameters& parameters,
                        const PackedSequences& sequences, const at::Tensor& out_TW,
                        const at::Tensor& saved_states_CW);

struct HawkBackwardCall {
  const at::Tensor& x_TW;
  const at::Tensor& y_TW;
  const HawkParameters& parameters;
  const PackedSequences& sequences;
  const at::Tensor& saved_states_CW;
  const at::Tensor& grad_out_TW;
  const at::Tensor& grad_x_TW;
  const at::Tensor& grad_y_TW;
  const HawkParameters& gradients;
};

template <class In, class Tile>
void tiled_hawk_backward(const HawkTileOps<In, Tile>& ops, const HawkBackwardCall& call);

}  // namespace sequela
