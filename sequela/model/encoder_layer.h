#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/model/encoder_config.h"
#include "sequela/model/encoder_weights.h"
#include "sequela/model/layer_shape.h"
#include "sequela/model/workspace.h"
#include "sequela/nn/attention.h"
#include "sequela/nn/sequences.h"
#include "sequela/nn/ways.h"

namespace sequela {

// What all layers of one pass share.
//
//   T = tokens, H = hidden size, N = columns of a layer's input projection
struct LayerContext {
  const EncoderConfig* config = nullptr;
  at::ScalarType type = at::kFloat;  // of the matrix products and the activations
  at::Device device = at::kCPU;
  Ways ways;
  bool is_kept = false;  // backward will follow
  PackedSequences sequences;
  LayerTimes times;
};

// What a layer's backward pass needs of its forward pass. The rest is computed again: the normed
// input and the gated feed-forward part cost little and would be a third of the memory.
struct LayerActivations {
  at::Tensor sum_TH;   // float32, the residual stream before the layer; set by the caller
  Buffer inverse_rms;  // float32 [T]
  Buffer projected;    // [T, N]: [ff | q | k | v] or [ff | x | y]
  Buffer mixed;        // [T, H], output of attention or of the hawk module
  Buffer mixer_state;  // attention: logsumexp [heads, T]; hawk: states [chunks, H]; float32
  Buffer gated;        // hawk: [T, H], the input of linear_out
};

// Buffers that every layer uses in turn.
struct LayerScratch {
  Buffer normed, combined, branch;                                         // forward
  Buffer grad_projected, grad_combined, grad_gated, grad_normed, weights;  // backward
};

// The running gradient of the residual stream. A layer's backward pass takes it as of after the
// layer and leaves it as of before the layer.
struct ResidualGradient {
  at::Tensor grad_TH;  // float32
  at::Tensor copy_TH;  // the same in the activations' type
};

// One layer of one pass: refers to what it is given, keeps nothing itself.
class LayerPass {
 public:
  LayerPass(const LayerContext& context, const LayerTensors& weights, LayerActivations& saved,
            LayerScratch& scratch);

  // residual_TH + branch_TH (undefined = nothing to add) goes to saved.sum_TH, which may be
  // residual_TH; returns the layer's own branch [T, H], on scratch.branch (which branch_TH may lie
  // on too).
  at::Tensor forward(const at::Tensor& residual_TH, const at::Tensor& branch_TH);

  // Makes again what backward() needs, from saved.sum_TH alone: all of forward() but the output
  // projection.
  void recompute();

  // Adds to the weights' gradients.
  void backward(const LayerTensors& gradients, const ResidualGradient& residual);

 private:
  const at::Tensor& resize(Buffer& buffer, at::IntArrayRef shape) const;
  at::Tensor mixer_input(const at::Tensor& projected_TN, int64_t i) const;
  AttentionInputs attention_inputs() const;
  at::Tensor norm(const at::Tensor& residual_TH, const at::Tensor& branch_TH);
  const at::Tensor& combine();
  const at::Tensor& run_branch(const at::Tensor& residual_TH, const at::Tensor& branch_TH);
  void mix(const at::Tensor& out_TH);
  void add_weight_gradient(const at::Tensor& grad_out, const at::Tensor& x,
                           const at::Tensor& grad_weight);
  void hawk_module_backward(const LayerTensors& gradients, const at::Tensor& grad_mixed_TH);
  void attention_module_backward(const at::Tensor& grad_mixed_TH);
  void norm_backward(const LayerTensors& gradients, const at::Tensor& grad_normed_TH,
                     const ResidualGradient& residual);

  const LayerContext& context_;
  const EncoderConfig& config_;
  const LayerTensors& weights_;
  const LayerShape shape_;
  LayerActivations& saved_;
  LayerScratch& scratch_;
};

}  // namespace sequela
