#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "sequela/model/encoder_layer.h"
#include "sequela/model/encoder_weights.h"
#include "sequela/model/workspace.h"

namespace sequela {

// The layers and the final norm of a forward pass after which no backward pass will follow. All but
// the mixers (attention, hawk) works row by row: on a CPU, blocks of rows are dealt to threads,
// each going from the output of one layer's mixer to the input of the next one's while its values
// are in the cache, and the wide feed-forward part exists for one block at a time only. Where only
// some tokens' hidden states are asked for, the last layer is computed for those alone, but for
// what its mixer needs of all.
//
//   T = tokens, L = tokens asked for, H = hidden size, F = intermediate size, M = columns of the
//   mixers' inputs
//
// The same numbers as the layers of encoder_layer.h, which are its reference. Cost: the matrix
// products, at the rate of large ones (a block of kBlockRows rows is large enough for it).
class InferencePass {
 public:
  // residual_TH: float32, the embedded tokens after their norm; overwritten. rows_L: int64,
  // ascending or not; undefined = all tokens. out_LH: float32 or bfloat16 [L, H], [T, H] if all.
  void run(const LayerContext& context, const EncoderTensors& weights,
           const at::Tensor& residual_TH, const at::Tensor& rows_L, const at::Tensor& out_LH);

 private:
  // Rows of what lies between the stages of a layer.
  struct Rows {
    at::Tensor sum_TH;       // float32, the residual stream
    at::Tensor time_TK;      // float32, columns that the layer overwrites; undefined = none
    at::Tensor mixer_TM;     // [q | k | v] or [x | y]
    at::Tensor mixed_TH;     // what the mixer makes; of attention layers it is in combined_TC
    at::Tensor combined_TC;  // [mixed | activated feed-forward part], C = H + F
  };
  // Buffers of one block.
  struct Block {
    Buffer normed, feed_forward, branch, inverse_rms;
  };
  enum class Part { mixer, feed_forward, both };  // of a layer's input projection

  Rows all_rows(const LayerTensors& layer);
  Rows chosen_rows(const LayerTensors& layer, const at::Tensor& rows_L);
  static Rows narrowed(const Rows& rows, int64_t first, int64_t count);
  template <class Work>
  void for_each_block(int64_t num_rows, Work work);

  void project(const LayerTensors& layer, const Rows& rows, const at::Tensor& branch_TH, Part part,
               Block& block) const;
  void project_feed_forward(const LayerTensors& layer, const Rows& rows, Block& block) const;
  void mix(const LayerTensors& layer, const Rows& rows);
  at::Tensor finish(const LayerTensors& layer, const Rows& rows, Block& block) const;
  void final_norm(const Rows& rows, const at::Tensor& branch_TH, const at::Tensor& out_TH,
                  Block& block) const;
  void finish_last(const at::Tensor& rows_L, const at::Tensor& out_LH);

  int64_t hidden() const { return context_->config->hidden_size; }
  LayerShape shape_of(const LayerTensors& layer) const {
    return {*context_->config, layer.is_hawk};
  }
  const at::Tensor& resize(Buffer& buffer, at::IntArrayRef shape) const {
    return buffer.resize(shape, context_->type, context_->device);
  }

  const LayerContext* context_ = nullptr;  // of the pass under way, like the two below
  const EncoderTensors* weights_ = nullptr;
  at::Tensor residual_TH_;
  Buffer mixer_, mixed_, combined_, mixer_state_;
  std::vector<Block> blocks_;  // by thread
};

}  // namespace sequela
