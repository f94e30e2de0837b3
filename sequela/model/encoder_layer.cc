#include "sequela/model/encoder_layer.h"

#include "sequela/nn/elementwise.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/recurrence.h"

namespace sequela {

LayerPass::LayerPass(const LayerContext& context, const LayerTensors& weights,
                     LayerActivations& saved, LayerScratch& scratch)
    : context_(context),
      config_(*context.config),
      weights_(weights),
      shape_(config_, weights.is_hawk),
      saved_(saved),
      scratch_(scratch) {}

const at::Tensor& LayerPass::resize(Buffer& buffer, at::IntArrayRef shape) const {
  return buffer.resize(shape, context_.type, context_.device);
}

// Of a projection or its gradient.
at::Tensor LayerPass::mixer_input(const at::Tensor& projected_TN, int64_t i) const {
  return shape_.mixer_input(shape_.mixer(projected_TN), i);
}

AttentionInputs LayerPass::attention_inputs() const {
  const at::Tensor& projected_TN = saved_.projected.tensor();
  const auto heads = [&](int64_t i) { return shape_.to_heads(mixer_input(projected_TN, i)); };
  return {.q_THD = heads(0),
          .k_THD = heads(1),
          .v_THD = heads(2),
          .cos_TR = context_.times.cos_TR(),
          .sin_TR = context_.times.sin_TR(),
          .sequences = &context_.sequences,
          .window = config_.attention_width};
}

// The layer's normed input with its time columns.
at::Tensor LayerPass::norm(const at::Tensor& residual_TH, const at::Tensor& branch_TH) {
  const at::Tensor& normed_TH = resize(scratch_.normed, residual_TH.sizes());
  rms_norm_forward({.x_TH = residual_TH,
                    .branch_TH = branch_TH,
                    .sum_TH = saved_.sum_TH,
                    .weight_H = weights_.norm_weight_H,
                    .time_features_TK = context_.times.columns(shape_.is_hawk()),
                    .out_TH = normed_TH,
                    .inverse_rms_T = saved_.inverse_rms.tensor()},
                   context_.ways);
  return normed_TH;
}

// [mixed | activated feed-forward part]: makes room for the first, computes the second.
const at::Tensor& LayerPass::combine() {
  const at::Tensor& projected_TN = saved_.projected.tensor();
  const at::Tensor& combined =
      resize(scratch_.combined, {projected_TN.size(0), shape_.combined_columns()});
  shape_.activate(shape_.ff(projected_TN), shape_.active(combined), context_.ways);
  return combined;
}

// Attention or the hawk module, into columns of a wider tensor.
void LayerPass::mix(const at::Tensor& out_TH) {
  const at::Tensor& projected_TN = saved_.projected.tensor();
  const int64_t tokens = out_TH.size(0);
  if (!shape_.is_hawk()) {
    saved_.mixer_state.resize({config_.n_heads, tokens}, at::kFloat, context_.device);
    attention_forward(attention_inputs(), shape_.to_heads(out_TH), saved_.mixer_state.tensor(),
                      context_.ways);
    return;
  }
  resize(saved_.gated, out_TH.sizes());
  saved_.mixer_state.resize({num_hawk_chunks(tokens), out_TH.size(1)}, at::kFloat, context_.device);
  hawk_forward(mixer_input(projected_TN, 0), mixer_input(projected_TN, 1), weights_.hawk,
               context_.sequences, saved_.gated.tensor(), saved_.mixer_state.tensor(),
               context_.ways);
  linear_forward(saved_.gated.tensor(), weights_.hawk_out_weight_HH, out_TH);
  add_bias(out_TH, weights_.hawk_out_bias_H);
}

// All of a forward pass up to the input of the output projection.
const at::Tensor& LayerPass::run_branch(const at::Tensor& residual_TH,
                                        const at::Tensor& branch_TH) {
  const int64_t tokens = residual_TH.size(0);
  saved_.inverse_rms.resize({tokens}, at::kFloat, context_.device);
  const at::Tensor normed_TH = norm(residual_TH, branch_TH);

  const at::Tensor& projected_TN = resize(saved_.projected, {tokens, shape_.projected_columns()});
  linear_forward(normed_TH, weights_.input_weight_NH, projected_TN);
  const at::Tensor& bias = weights_.input_bias;
  if (bias.defined()) add_bias(shape_.with_bias(projected_TN, bias), bias);

  const at::Tensor& combined = combine();
  const at::Tensor mixed_TH = shape_.mixed(combined);
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
  const at::Tensor& projected_TN = saved_.projected.tensor();
  const at::Tensor& grad_projected_TN = scratch_.grad_projected.tensor();
  add_column_sums(grad_mixed_TH, gradients.hawk_out_bias_H);
  add_weight_gradient(grad_mixed_TH, saved_.gated.tensor(), gradients.hawk_out_weight_HH);
  const at::Tensor& grad_gated_TH = resize(scratch_.grad_gated, grad_mixed_TH.sizes());
  linear_backward_input(grad_mixed_TH, weights_.hawk_out_weight_HH, grad_gated_TH);
  hawk_backward(mixer_input(projected_TN, 0), mixer_input(projected_TN, 1), weights_.hawk,
                context_.sequences, saved_.mixer_state.tensor(), grad_gated_TH,
                mixer_input(grad_projected_TN, 0), mixer_input(grad_projected_TN, 1),
                gradients.hawk, context_.ways);
}

void LayerPass::attention_module_backward(const at::Tensor& grad_mixed_TH) {
  const auto grad_heads = [&](int64_t i) {
    return shape_.to_heads(mixer_input(scratch_.grad_projected.tensor(), i));
  };
  attention_backward(attention_inputs(), shape_.to_heads(saved_.mixed.tensor()),
                     saved_.mixer_state.tensor(), shape_.to_heads(grad_mixed_TH),
                     {grad_heads(0), grad_heads(1), grad_heads(2)}, context_.ways);
}

void LayerPass::norm_backward(const LayerTensors& gradients, const at::Tensor& grad_normed_TH,
                              const ResidualGradient& residual) {
  const at::Tensor& time_TK = context_.times.columns(shape_.is_hawk());
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
  const at::Tensor& combined = combine();
  shape_.mixed(combined).copy_(saved_.mixed.tensor());
  add_weight_gradient(residual.copy_TH, combined, gradients.output_weight);
  if (weights_.output_bias_H.defined()) {
    add_column_sums(residual.copy_TH, gradients.output_bias_H);
  }
  const at::Tensor& grad_combined = resize(scratch_.grad_combined, combined.sizes());
  linear_backward_input(residual.copy_TH, weights_.output_weight, grad_combined);

  const at::Tensor& projected_TN = saved_.projected.tensor();
  const at::Tensor& grad_projected_TN = resize(scratch_.grad_projected, projected_TN.sizes());
  const at::Tensor grad_mixed_TH = shape_.mixed(grad_combined);
  shape_.is_hawk() ? hawk_module_backward(gradients, grad_mixed_TH)
                   : attention_module_backward(grad_mixed_TH);
  shape_.activate_backward(shape_.ff(projected_TN), shape_.active(grad_combined),
                           shape_.ff(grad_projected_TN), context_.ways);

  add_weight_gradient(grad_projected_TN, norm(saved_.sum_TH, {}), gradients.input_weight_NH);
  const at::Tensor& bias_gradient = gradients.input_bias;
  if (bias_gradient.defined()) {
    add_column_sums(shape_.with_bias(grad_projected_TN, bias_gradient), bias_gradient);
  }
  const at::Tensor& grad_normed_TH = resize(scratch_.grad_normed, residual.grad_TH.sizes());
  linear_backward_input(grad_projected_TN, weights_.input_weight_NH, grad_normed_TH);
  norm_backward(gradients, grad_normed_TH, residual);
}

}  // namespace sequela
