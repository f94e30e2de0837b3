#include "sequela/model/encoder_layer.h"

#include "sequela/nn/attention.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/recurrence.h"

namespace sequela {
namespace {

at::Tensor to_heads(const at::Tensor& x_TH, int64_t heads) {
  return x_TH.unflatten(1, {heads, x_TH.size(1) / heads});
}

// A fused projection, [ff | mixer inputs], as views of its columns.
struct Columns {
  const EncoderConfig& config;
  const at::Tensor& projected_TN;

  at::Tensor ff() const { return projected_TN.narrow(1, 0, config.ff_columns()); }
  at::Tensor mixer(int64_t i) const {
    const int64_t hidden = config.hidden_size;
    return projected_TN.narrow(1, config.ff_columns() + i * hidden, hidden);
  }
  at::Tensor mixer_heads(int64_t i) const { return to_heads(mixer(i), config.n_heads); }
  // The last columns, which a bias of `size` values covers.
  at::Tensor last(int64_t size) const {
    return projected_TN.narrow(1, projected_TN.size(1) - size, size);
  }
};

AttentionInputs attention_inputs(const LayerContext& context, const Columns& columns) {
  return {.q_THD = columns.mixer_heads(0),
          .k_THD = columns.mixer_heads(1),
          .v_THD = columns.mixer_heads(2),
          .cos_TR = context.cos_TR,
          .sin_TR = context.sin_TR,
          .sequences = &context.sequences,
          .window = context.config->attention_width};
}

bool is_swiglu(const EncoderConfig& config) {
  return config.hidden_act == "swiglu";
}

}  // namespace

LayerPass::LayerPass(const LayerContext& context, const LayerTensors& weights,
                     LayerActivations& saved, LayerScratch& scratch)
    : context_(context),
      config_(*context.config),
      weights_(weights),
      saved_(saved),
      scratch_(scratch) {}

const at::Tensor& LayerPass::resize(Buffer& buffer, at::IntArrayRef shape) const {
  return buffer.resize(shape, context_.type, context_.device);
}

// The layer's normed input with its time columns.
at::Tensor LayerPass::norm(const at::Tensor& residual_TH, const at::Tensor& branch_TH) {
  const at::Tensor& normed_TH = resize(scratch_.normed, residual_TH.sizes());
  rms_norm_forward({.x_TH = residual_TH,
                    .branch_TH = branch_TH,
                    .sum_TH = saved_.sum_TH,
                    .weight_H = weights_.norm_weight_H,
                    .time_features_TK = time_columns(context_, weights_),
                    .out_TH = normed_TH,
                    .inverse_rms_T = saved_.inverse_rms.tensor()},
                   context_.ways);
  return normed_TH;
}

// [mixed | activated feed-forward part]: makes room for the first, computes the second.
const at::Tensor& LayerPass::combine() {
  const int64_t hidden = config_.hidden_size;
  const Columns columns{config_, saved_.projected.tensor()};
  const at::Tensor& combined =
      resize(scratch_.combined, {columns.projected_TN.size(0), hidden + config_.intermediate_size});
  const at::Tensor active = combined.narrow(1, hidden, config_.intermediate_size);
  is_swiglu(config_) ? swiglu_forward(columns.ff(), active, context_.ways)
                     : gelu_forward(columns.ff(), active);
  return combined;
}

// Attention or the hawk module, into columns of a wider tensor.
void LayerPass::mix(const at::Tensor& out_TH) {
  const Columns columns{config_, saved_.projected.tensor()};
  const int64_t tokens = out_TH.size(0);
  if (!weights_.is_hawk) {
    saved_.mixer_state.resize({config_.n_heads, tokens}, at::kFloat, context_.device);
    attention_forward(attention_inputs(context_, columns), to_heads(out_TH, config_.n_heads),
                      saved_.mixer_state.tensor(), context_.ways);
    return;
  }
  resize(saved_.gated, out_TH.sizes());
  saved_.mixer_state.resize({num_hawk_chunks(tokens), out_TH.size(1)}, at::kFloat, context_.device);
  hawk_forward(columns.mixer(0), columns.mixer(1), weights_.hawk, context_.sequences,
               saved_.gated.tensor(), saved_.mixer_state.tensor(), context_.ways);
  linear_forward(saved_.gated.tensor(), weights_.hawk_out_weight_HH, out_TH);
  add_bias(out_TH, weights_.hawk_out_bias_H);
}

// All of a forward pass up to the input of the output projection.
const at::Tensor& LayerPass::run_branch(const at::Tensor& residual_TH,
                                        const at::Tensor& branch_TH) {
  const int64_t tokens = residual_TH.size(0);
  saved_.inverse_rms.resize({tokens}, at::kFloat, context_.device);
  const at::Tensor normed_TH = norm(residual_TH, branch_TH);

  const Columns columns{config_,
                        resize(saved_.projected, {tokens, weights_.input_weight_NH.size(0)})};
  linear_forward(normed_TH, weights_.input_weight_NH, columns.projected_TN);
  const at::Tensor& bias = weights_.input_bias;
  if (bias.defined()) add_bias(columns.last(bias.size(0)), bias);

  const at::Tensor& combined = combine();
  const at::Tensor mixed_TH = combined.narrow(1, 0, config_.hidden_size);
  mix(mixed_TH);
  if (context_.is_kept) resize(saved_.mixed, mixed_TH.sizes()).copy_(mixed_TH);
  return combined;
}

void LayerPass::recompute() {
  run_branch(saved_.sum_TH, {});
}

at::Tensor LayerPass::forward(const at::Tensor& residual_TH, const at::Tensor& branch_TH) {
  const at::Tensor& combined = run_branch(residual_TH, branch_TH);
  const at::Tensor& out_TH = resize(scratch_.branch, residual_TH.sizes());
  linear_forward(combined, weights_.output_weight, out_TH);
  if (weights_.output_bias_H.defined()) add_bias(out_TH, weights_.output_bias_H);
  return out_TH;
}

// grad_weight += grad_out^T @ x
void LayerPass::add_weight_gradient(const at::Tensor& grad_out, const at::Tensor& x,
                                    const at::Tensor& grad_weight) {
  linear_backward_weight(grad_out, x, resize(scratch_.weights, {grad_weight.numel()}), grad_weight);
}

void LayerPass::hawk_module_backward(const LayerTensors& gradients,
                                     const at::Tensor& grad_mixed_TH) {
  const Columns columns{config_, saved_.projected.tensor()};
  const Columns grad_columns{config_, scratch_.grad_projected.tensor()};
  add_column_sums(grad_mixed_TH, gradients.hawk_out_bias_H);
  add_weight_gradient(grad_mixed_TH, saved_.gated.tensor(), gradients.hawk_out_weight_HH);
  const at::Tensor& grad_gated_TH = resize(scratch_.grad_gated, grad_mixed_TH.sizes());
  linear_backward_input(grad_mixed_TH, weights_.hawk_out_weight_HH, grad_gated_TH);
  hawk_backward(columns.mixer(0), columns.mixer(1), weights_.hawk, context_.sequences,
                saved_.mixer_state.tensor(), grad_gated_TH, grad_columns.mixer(0),
                grad_columns.mixer(1), gradients.hawk, context_.ways);
}

void LayerPass::attention_module_backward(const at::Tensor& grad_mixed_TH) {
  const Columns columns{config_, saved_.projected.tensor()};
  const Columns grad_columns{config_, scratch_.grad_projected.tensor()};
  attention_backward(
      attention_inputs(context_, columns), to_heads(saved_.mixed.tensor(), config_.n_heads),
      saved_.mixer_state.tensor(), to_heads(grad_mixed_TH, config_.n_heads),
      {grad_columns.mixer_heads(0), grad_columns.mixer_heads(1), grad_columns.mixer_heads(2)},
      context_.ways);
}

void LayerPass::norm_backward(const LayerTensors& gradients, const at::Tensor& grad_normed_TH,
                              const ResidualGradient& residual) {
  const at::Tensor& time_TK = time_columns(context_, weights_);
  rms_norm_backward({.grad_out_TH = grad_normed_TH,
                     .sum_TH = saved_.sum_TH,
                     .inverse_rms_T = saved_.inverse_rms.tensor(),
                     .weight_H = weights_.norm_weight_H,
                     .num_overwritten = time_TK.defined() ? time_TK.size(1) : 0,
                     .grad_x_TH = residual.grad_TH,
                     .grad_x_copy_TH = residual.copy_TH,
                     .grad_weight_H = gradients.norm_weight_H},
                    context_.ways);
}

void LayerPass::backward(const LayerTensors& gradients, const ResidualGradient& residual) {
  const int64_t hidden = config_.hidden_size;
  const at::Tensor& combined = combine();
  combined.narrow(1, 0, hidden).copy_(saved_.mixed.tensor());
  add_weight_gradient(residual.copy_TH, combined, gradients.output_weight);
  if (weights_.output_bias_H.defined()) {
    add_column_sums(residual.copy_TH, gradients.output_bias_H);
  }
  const at::Tensor& grad_combined = resize(scratch_.grad_combined, combined.sizes());
  linear_backward_input(residual.copy_TH, weights_.output_weight, grad_combined);

  const Columns columns{config_, saved_.projected.tensor()};
  const Columns grad_columns{config_,
                             resize(scratch_.grad_projected, columns.projected_TN.sizes())};
  const at::Tensor grad_mixed_TH = grad_combined.narrow(1, 0, hidden);
  weights_.is_hawk ? hawk_module_backward(gradients, grad_mixed_TH)
                   : attention_module_backward(grad_mixed_TH);
  const at::Tensor grad_active = grad_combined.narrow(1, hidden, config_.intermediate_size);
  is_swiglu(config_) ? swiglu_backward(columns.ff(), grad_active, grad_columns.ff(), context_.ways)
                     : gelu_backward(columns.ff(), grad_active, grad_columns.ff());

  add_weight_gradient(grad_columns.projected_TN, norm(saved_.sum_TH, {}),
                      gradients.input_weight_NH);
  const at::Tensor& bias_gradient = gradients.input_bias;
  if (bias_gradient.defined()) {
    add_column_sums(grad_columns.last(bias_gradient.size(0)), bias_gradient);
  }
  const at::Tensor& grad_normed_TH = resize(scratch_.grad_normed, residual.grad_TH.sizes());
  linear_backward_input(grad_columns.projected_TN, weights_.input_weight_NH, grad_normed_TH);
  norm_backward(gradients, grad_normed_TH, residual);
}

}  // namespace sequela
