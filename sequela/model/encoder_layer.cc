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
    return projected_TN.narrow(1, config.ff_columns() + i * config.hidden_size, config.hidden_size);
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

void activate(const EncoderConfig& config, const at::Tensor& ff, const at::Tensor& out_TF) {
  if (config.hidden_act == "swiglu") {
    swiglu_forward(ff, out_TF);
  } else {
    gelu_forward(ff, out_TF);
  }
}

void activate_backward(const EncoderConfig& config, const at::Tensor& ff, const at::Tensor& grad_TF,
                       const at::Tensor& grad_ff) {
  if (config.hidden_act == "swiglu") {
    swiglu_backward(ff, grad_TF, grad_ff);
  } else {
    gelu_backward(ff, grad_TF, grad_ff);
  }
}

// The layer's normed input with its time columns; recomputed in the backward pass.
at::Tensor norm_input(const LayerContext& context, const LayerTensors& weights,
                      const at::Tensor& residual_TH, const at::Tensor& branch_TH,
                      const LayerActivations& saved, LayerScratch& scratch) {
  at::Tensor normed_TH = scratch.normed.resize(residual_TH.sizes(), context.type, context.device);
  rms_norm_forward(
      {.x_TH = residual_TH,
       .branch_TH = branch_TH,
       .sum_TH = saved.sum_TH,
       .weight_H = weights.norm_weight_H,
       .time_features_TK = weights.is_hawk ? context.hawk_time_TK : context.attention_time_TK,
       .out_TH = normed_TH,
       .inverse_rms_T = saved.inverse_rms.tensor()});
  return normed_TH;
}

// Attention or the hawk module, into out_TH (columns of a wider tensor).
void mix(const LayerContext& context, const LayerTensors& weights, const Columns& columns,
         LayerActivations& saved, const at::Tensor& out_TH) {
  const int64_t tokens = out_TH.size(0);
  if (!weights.is_hawk) {
    saved.mixer_state.resize({context.config->n_heads, tokens}, at::kFloat, context.device);
    attention_forward(attention_inputs(context, columns), to_heads(out_TH, context.config->n_heads),
                      saved.mixer_state.tensor());
    return;
  }
  saved.gated.resize(out_TH.sizes(), context.type, context.device);
  saved.mixer_state.resize({num_hawk_chunks(tokens), out_TH.size(1)}, at::kFloat, context.device);
  hawk_forward(columns.mixer(0), columns.mixer(1), weights.hawk, context.sequences,
               saved.gated.tensor(), saved.mixer_state.tensor());
  linear_forward(saved.gated.tensor(), weights.hawk_out_weight_HH, out_TH);
  add_bias(out_TH, weights.hawk_out_bias_H);
}

// grad_weight += grad_out^T @ x
void add_weight_gradient(const LayerContext& context, const at::Tensor& grad_out,
                         const at::Tensor& x, const at::Tensor& grad_weight,
                         LayerScratch& scratch) {
  linear_backward_weight(
      grad_out, x, scratch.weights.resize({grad_weight.numel()}, context.type, context.device),
      grad_weight);
}

void hawk_module_backward(const LayerContext& context, const LayerTensors& weights,
                          const LayerTensors& gradients, const Columns& columns,
                          const LayerActivations& saved, LayerScratch& scratch,
                          const at::Tensor& grad_mixed_TH, const Columns& grad_columns) {
  add_column_sums(grad_mixed_TH, gradients.hawk_out_bias_H);
  add_weight_gradient(context, grad_mixed_TH, saved.gated.tensor(), gradients.hawk_out_weight_HH,
                      scratch);
  const at::Tensor& grad_gated_TH =
      scratch.grad_gated.resize(grad_mixed_TH.sizes(), context.type, context.device);
  linear_backward_input(grad_mixed_TH, weights.hawk_out_weight_HH, grad_gated_TH);
  hawk_backward(columns.mixer(0), columns.mixer(1), weights.hawk, context.sequences,
                saved.mixer_state.tensor(), grad_gated_TH, grad_columns.mixer(0),
                grad_columns.mixer(1), gradients.hawk);
}

void attention_module_backward(const LayerContext& context, const Columns& columns,
                               const LayerActivations& saved, const at::Tensor& grad_mixed_TH,
                               const Columns& grad_columns) {
  const int64_t heads = context.config->n_heads;
  attention_backward(
      attention_inputs(context, columns), to_heads(saved.mixed.tensor(), heads),
      saved.mixer_state.tensor(), to_heads(grad_mixed_TH, heads),
      {grad_columns.mixer_heads(0), grad_columns.mixer_heads(1), grad_columns.mixer_heads(2)});
}

}  // namespace

at::Tensor layer_forward(const LayerContext& context, const LayerTensors& weights,
                         const at::Tensor& residual_TH, const at::Tensor& branch_TH,
                         LayerActivations& saved, LayerScratch& scratch) {
  const EncoderConfig& config = *context.config;
  const int64_t tokens = residual_TH.size(0);
  const int64_t hidden = config.hidden_size;
  const int64_t ff_size = config.intermediate_size;
  saved.inverse_rms.resize({tokens}, at::kFloat, context.device);
  const at::Tensor normed_TH = norm_input(context, weights, residual_TH, branch_TH, saved, scratch);

  saved.projected.resize({tokens, weights.input_weight_NH.size(0)}, context.type, context.device);
  const Columns columns{config, saved.projected.tensor()};
  linear_forward(normed_TH, weights.input_weight_NH, saved.projected.tensor());
  if (weights.input_bias.defined())
    add_bias(columns.last(weights.input_bias.size(0)), weights.input_bias);

  const at::Tensor& combined =
      scratch.combined.resize({tokens, hidden + ff_size}, context.type, context.device);
  const at::Tensor mixed_TH = combined.narrow(1, 0, hidden);
  mix(context, weights, columns, saved, mixed_TH);
  if (context.is_kept)
    saved.mixed.resize({tokens, hidden}, context.type, context.device).copy_(mixed_TH);
  activate(config, columns.ff(), combined.narrow(1, hidden, ff_size));

  const at::Tensor& out_TH = scratch.branch.resize({tokens, hidden}, context.type, context.device);
  linear_forward(combined, weights.output_weight, out_TH);
  if (weights.output_bias_H.defined()) add_bias(out_TH, weights.output_bias_H);
  return out_TH;
}

void layer_backward(const LayerContext& context, const LayerTensors& weights,
                    const LayerTensors& gradients, const LayerActivations& saved,
                    LayerScratch& scratch, const ResidualGradient& residual) {
  const EncoderConfig& config = *context.config;
  const int64_t tokens = residual.grad_TH.size(0);
  const int64_t hidden = config.hidden_size;
  const int64_t ff_size = config.intermediate_size;
  const Columns columns{config, saved.projected.tensor()};

  const at::Tensor& combined =
      scratch.combined.resize({tokens, hidden + ff_size}, context.type, context.device);
  combined.narrow(1, 0, hidden).copy_(saved.mixed.tensor());
  activate(config, columns.ff(), combined.narrow(1, hidden, ff_size));
  add_weight_gradient(context, residual.copy_TH, combined, gradients.output_weight, scratch);
  if (weights.output_bias_H.defined()) add_column_sums(residual.copy_TH, gradients.output_bias_H);
  const at::Tensor& grad_combined =
      scratch.grad_combined.resize({tokens, hidden + ff_size}, context.type, context.device);
  linear_backward_input(residual.copy_TH, weights.output_weight, grad_combined);

  const Columns grad_columns{config, scratch.grad_projected.resize(saved.projected.tensor().sizes(),
                                                                   context.type, context.device)};
  const at::Tensor grad_mixed_TH = grad_combined.narrow(1, 0, hidden);
  if (weights.is_hawk) {
    hawk_module_backward(context, weights, gradients, columns, saved, scratch, grad_mixed_TH,
                         grad_columns);
  } else {
    attention_module_backward(context, columns, saved, grad_mixed_TH, grad_columns);
  }
  activate_backward(config, columns.ff(), grad_combined.narrow(1, hidden, ff_size),
                    grad_columns.ff());

  const at::Tensor normed_TH = norm_input(context, weights, saved.sum_TH, {}, saved, scratch);
  add_weight_gradient(context, grad_columns.projected_TN, normed_TH, gradients.input_weight_NH,
                      scratch);
  if (weights.input_bias.defined()) {
    add_column_sums(grad_columns.last(weights.input_bias.size(0)), gradients.input_bias);
  }
  const at::Tensor& grad_normed_TH =
      scratch.grad_normed.resize({tokens, hidden}, context.type, context.device);
  linear_backward_input(grad_columns.projected_TN, weights.input_weight_NH, grad_normed_TH);
  const at::Tensor& time_TK = weights.is_hawk ? context.hawk_time_TK : context.attention_time_TK;
  rms_norm_backward({.grad_out_TH = grad_normed_TH,
                     .sum_TH = saved.sum_TH,
                     .inverse_rms_T = saved.inverse_rms.tensor(),
                     .weight_H = weights.norm_weight_H,
                     .num_overwritten = time_TK.defined() ? time_TK.size(1) : 0,
                     .grad_x_TH = residual.grad_TH,
                     .grad_x_copy_TH = residual.copy_TH,
                     .grad_weight_H = gradients.norm_weight_H});
}

}  // namespace sequela
