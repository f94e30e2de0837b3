#include "sequela/model/encoder.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/model/span_means.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/token_embedding.h"

namespace sequela {
namespace {

constexpr int64_t kTimeData = 5;  // columns

}  // namespace

Encoder::Encoder(const EncoderConfig& config, at::ScalarType type, at::Device device,
                 const Ways& ways)
    : config_(config) {
  context_.config = &config_;
  context_.type = type;
  context_.device = device;
  context_.ways = ways;
}

void Encoder::check(const BatchInputs& inputs) const {
  const auto need = [](bool is_fine, const char* what) {
    if (!is_fine) throw std::invalid_argument(str("batch inputs: ", what));
  };
  need(inputs.ages_days_T.defined() && inputs.token_ids_N.defined(),
       "ages and token ids must be there");
  const int64_t tokens = inputs.ages_days_T.size(0);
  need(context_.sequences.num_tokens() == tokens, "lengths do not sum to the number of tokens");
  need(!inputs.token_offsets_T1.defined() || inputs.token_offsets_T1.size(0) == tokens + 1,
       "token_offsets must have one value more than tokens");
  need(inputs.token_offsets_T1.defined() || inputs.token_ids_N.size(0) == tokens,
       "without token_offsets there must be one id per token");
  need(!config_.use_normed_ages ||
           (inputs.time_data_T5.defined() && inputs.time_data_T5.dim() == 2 &&
            inputs.time_data_T5.size(0) == tokens && inputs.time_data_T5.size(1) == kTimeData),
       "time_data must be [tokens, 5]");
}

void Encoder::prepare_context(const BatchInputs& inputs, Keep keep) {
  context_.is_kept = keep == Keep::activations;
  context_.sequences = inputs.sequences != nullptr
                           ? *inputs.sequences
                           : build_packed_sequences(inputs.lengths_S, context_.device);
  check(inputs);
  context_.times.fill(config_, inputs.ages_days_T, inputs.time_data_T5, context_.device);
}

// Embeds the tokens; their norm starts the residual stream.
void Encoder::embed(const EncoderTensors& weights) {
  const int64_t tokens = inputs_.ages_days_T.size(0);
  const at::Tensor& embedded_TH =
      embedded_.resize({tokens, config_.hidden_size}, at::kFloat, context_.device);
  embedding_bag_forward(weights.embedding_VH, inputs_.token_ids_N, inputs_.token_weights_N,
                        inputs_.token_offsets_T1, embedded_TH, context_.ways);
  const at::Tensor& residual_TH =
      sums_[0].resize({tokens, config_.hidden_size}, at::kFloat, context_.device);
  rms_norm_forward(
      {.x_TH = embedded_TH,
       .weight_H = weights.in_norm_H,
       .out_TH = residual_TH,
       .inverse_rms_T = embedded_inverse_rms_.resize({tokens}, at::kFloat, context_.device)},
      context_.ways);
  if (observer_) {
    observer_("embed_bag_out", embedded_TH);
    observer_("in_norm_out", residual_TH);
  }
}

void Encoder::observe_layer(size_t i, const at::Tensor& branch_TH) const {
  if (!observer_) return;
  if (config_.is_hawk_layer(static_cast<int64_t>(i))) {
    observer_(str("layer_", i, "_hawk_out"),
              scratch_.combined.tensor().narrow(1, 0, config_.hidden_size));
  }
  observer_(str("layer_", i, "_out"), branch_TH);
}

// Makes room for what is kept and embeds the tokens.
void Encoder::start(const BatchInputs& inputs, const EncoderTensors& weights, Keep keep) {
  inputs_ = inputs;
  keep_ = keep;
  prepare_context(inputs, keep);
  const size_t num_layers = weights.layers.size();
  layers_.resize(std::max(layers_.size(), keep == Keep::activations ? num_layers : 1));
  sums_.resize(std::max(sums_.size(), keep != Keep::nothing ? num_layers + 1 : 1));
  embed(weights);
}

void Encoder::encode(const BatchInputs& inputs, const EncoderTensors& weights,
                     const at::Tensor& rows_L, const at::Tensor& out_LH) {
  if (!observer_) {
    start(inputs, weights, Keep::nothing);
    return inference_.run(context_, weights, sums_[0].tensor(), rows_L, out_LH);
  }
  const at::Tensor hidden_TH =
      at::empty({inputs.ages_days_T.size(0), config_.hidden_size}, out_LH.options());
  forward(inputs, weights, Keep::nothing, hidden_TH);
  out_LH.copy_(rows_L.defined() ? hidden_TH.index_select(0, rows_L) : hidden_TH);
}

void Encoder::encode_with_history(const BatchInputs& inputs, const EncoderTensors& weights,
                                  const at::Tensor& rows_L, const at::Tensor& firsts_LP,
                                  const at::Tensor& out_LC) {
  start(inputs, weights, Keep::nothing);
  const int64_t hidden = config_.hidden_size;
  const auto part = [&](int64_t i) { return out_LC.narrow(1, i * hidden, hidden); };
  const auto means = [&](const at::Tensor& x_TH, int64_t period) {
    return span_means(x_TH, inputs.lengths_S, firsts_LP.select(1, period), rows_L);
  };
  for (int64_t period = 0; period < firsts_LP.size(1); ++period)
    part(2 + period).copy_(means(sums_[0].tensor(), period));
  const at::Tensor hidden_TH = at::empty(sums_[0].tensor().sizes(), out_LC.options());
  inference_.run(context_, weights, sums_[0].tensor(), {}, hidden_TH);
  part(0).copy_(hidden_TH.index_select(0, rows_L));
  part(1).copy_(means(hidden_TH, 0));
}

void Encoder::forward(const BatchInputs& inputs, const EncoderTensors& weights, Keep keep,
                      const at::Tensor& out_TH) {
  start(inputs, weights, keep);
  const size_t num_layers = weights.layers.size();
  const bool is_kept = keep != Keep::nothing;
  const at::Tensor& first_TH = sums_[0].tensor();
  at::Tensor residual_TH = first_TH;
  at::Tensor branch_TH;
  const auto sum_after = [&](size_t i) {
    return is_kept ? sums_[i].resize(first_TH.sizes(), at::kFloat, context_.device) : first_TH;
  };
  for (size_t i = 0; i < num_layers; ++i) {
    LayerActivations& saved = saved_of(i);
    saved.sum_TH = i == 0 ? first_TH : sum_after(i);
    LayerPass layer(context_, weights.layers[i], saved, scratch_);
    branch_TH = layer.forward(residual_TH, branch_TH);
    residual_TH = saved.sum_TH;
    observe_layer(i, branch_TH);
  }

  final_sum_TH_ = sum_after(num_layers);
  rms_norm_forward(
      {.x_TH = residual_TH,
       .branch_TH = branch_TH,
       .sum_TH = final_sum_TH_,
       .weight_H = weights.out_norm_H,
       .out_TH = out_TH,
       .inverse_rms_T = inverse_rms_.resize({out_TH.size(0)}, at::kFloat, context_.device)},
      context_.ways);
  if (observer_) observer_("final_hidden", out_TH);
}

void Encoder::release_memory() {
  scratch_ = {};
  inference_ = {};
  layers_.clear();
  sums_.clear();
  final_sum_TH_ = at::Tensor();
  context_.times = {};
  for (Buffer* buffer : {&embedded_, &embedded_inverse_rms_, &inverse_rms_, &grad_x_copy_})
    *buffer = {};
}

LayerActivations& Encoder::saved_of(size_t layer) {
  return layers_[keep_ == Keep::activations ? layer : 0];
}

void Encoder::backward(const at::Tensor& grad_out_TH, const EncoderTensors& weights,
                       const EncoderTensors& gradients) {
  context_.is_kept = true;
  // What is not needed again makes room: the last sum for the gradient of the residual stream, the
  // embedded tokens for theirs.
  const ResidualGradient residual{
      .grad_TH = final_sum_TH_,
      .copy_TH = grad_x_copy_.resize(final_sum_TH_.sizes(), context_.type, context_.device)};
  rms_norm_backward({.grad_out_TH = grad_out_TH,
                     .sum_TH = final_sum_TH_,
                     .inverse_rms_T = inverse_rms_.tensor(),
                     .weight_H = weights.out_norm_H,
                     .grad_x_TH = residual.grad_TH,
                     .is_first = true,
                     .grad_x_copy_TH = residual.copy_TH,
                     .grad_weight_H = gradients.out_norm_H},
                    context_.ways);
  for (size_t i = weights.layers.size(); i-- > 0;) {
    LayerActivations& saved = saved_of(i);
    LayerPass layer(context_, weights.layers[i], saved, scratch_);
    if (keep_ == Keep::residuals) {
      saved.sum_TH = sums_[i].tensor();
      layer.recompute();
    }
    layer.backward(gradients.layers[i], residual);
  }
  const at::Tensor& embedded_TH = embedded_.tensor();
  rms_norm_backward({.grad_out_TH = residual.grad_TH,
                     .sum_TH = embedded_TH,
                     .inverse_rms_T = embedded_inverse_rms_.tensor(),
                     .weight_H = weights.in_norm_H,
                     .grad_x_TH = embedded_TH,
                     .is_first = true,
                     .grad_weight_H = gradients.in_norm_H},
                    context_.ways);
  embedding_bag_backward(embedded_TH, inputs_.token_ids_N, inputs_.token_weights_N,
                         inputs_.token_offsets_T1, gradients.embedding_VH, context_.ways);
}

}  // namespace sequela
