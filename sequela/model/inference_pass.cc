#include "sequela/model/inference_pass.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "sequela/nn/attention.h"
#include "sequela/nn/dealt_loop.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/recurrence.h"

namespace sequela {
namespace {

constexpr int64_t kBlockRows = 512;
constexpr int64_t kMinBlockRows = 64;
constexpr int64_t kMinBlocks = 8;  // where the tokens are so many

// By the number of rows alone, so that the blocks are the same for any number of threads.
int64_t block_rows(int64_t num_rows) {
  const int64_t rows = (num_rows / kMinBlocks + kMinBlockRows - 1) / kMinBlockRows * kMinBlockRows;
  return std::clamp(rows, kMinBlockRows, kBlockRows);
}

}  // namespace

InferencePass::Rows InferencePass::narrowed(const Rows& rows, int64_t first, int64_t count) {
  const auto part = [&](const at::Tensor& x) {
    return x.defined() ? x.narrow(0, first, count) : x;
  };
  return {part(rows.sum_TH), part(rows.time_TK), part(rows.mixer_TM), part(rows.mixed_TH),
          part(rows.combined_TC)};
}

InferencePass::Rows InferencePass::all_rows(const LayerTensors& layer) {
  const LayerShape shape = shape_of(layer);
  const int64_t tokens = residual_TH_.size(0);
  Rows rows{.sum_TH = residual_TH_, .time_TK = context_->times.columns(layer.is_hawk)};
  rows.mixer_TM = resize(mixer_, {tokens, shape.mixer_columns()});
  rows.combined_TC = resize(combined_, {tokens, shape.combined_columns()});
  rows.mixed_TH =
      layer.is_hawk ? resize(mixed_, {tokens, hidden()}) : shape.mixed(rows.combined_TC);
  return rows;
}

// Copies of the rows, once the mixer has run.
InferencePass::Rows InferencePass::chosen_rows(const LayerTensors& layer,
                                               const at::Tensor& rows_L) {
  const Rows all = all_rows(layer);
  Rows rows{.sum_TH = all.sum_TH.index_select(0, rows_L)};
  if (all.time_TK.defined()) rows.time_TK = all.time_TK.index_select(0, rows_L);
  rows.mixed_TH = all.mixed_TH.index_select(0, rows_L);
  rows.combined_TC =
      at::empty({rows_L.size(0), all.combined_TC.size(1)}, all.combined_TC.options());
  if (!layer.is_hawk) shape_of(layer).mixed(rows.combined_TC).copy_(rows.mixed_TH);
  return rows;
}

// Calls work(first row, number of rows, buffers) for blocks that cover all rows, on all threads; on
// a GPU for all rows at once.
template <class Work>
void InferencePass::for_each_block(int64_t num_rows, Work work) {
  blocks_.resize(std::max(blocks_.size(), static_cast<size_t>(at::get_num_threads())));
  if (!context_->device.is_cpu()) return work(0, num_rows, blocks_[0]);
  const int64_t rows = block_rows(num_rows);
  dealt_loop((num_rows + rows - 1) / rows, [&](int64_t i, int thread) {
    work(i * rows, std::min(rows, num_rows - i * rows), blocks_[thread]);
  });
}

// The activated feed-forward part of normed rows.
void InferencePass::project_feed_forward(const LayerTensors& layer, const Rows& rows,
                                         Block& block) const {
  const LayerShape shape = shape_of(layer);
  const at::Tensor& normed_TH = block.normed.tensor();
  const at::Tensor& ff = resize(block.feed_forward, {normed_TH.size(0), shape.ff_columns()});
  linear_forward(normed_TH, shape.ff_rows(layer.input_weight_NH), ff);
  const at::Tensor bias = shape.ff_bias(layer.input_bias);
  if (bias.defined()) add_bias(ff, bias);
  shape.activate(ff, shape.active(rows.combined_TC), context_->ways);
}

// Adds the branch (undefined = none) of the layer before to the residual stream; the layer's norm
// and input projection.
void InferencePass::project(const LayerTensors& layer, const Rows& rows,
                            const at::Tensor& branch_TH, Part part, Block& block) const {
  const int64_t tokens = rows.sum_TH.size(0);
  const at::Tensor& normed_TH = resize(block.normed, {tokens, hidden()});
  rms_norm_forward(
      {.x_TH = rows.sum_TH,
       .branch_TH = branch_TH,
       .sum_TH = rows.sum_TH,
       .weight_H = layer.norm_weight_H,
       .time_features_TK = rows.time_TK,
       .out_TH = normed_TH,
       .inverse_rms_T = block.inverse_rms.resize({tokens}, at::kFloat, context_->device)},
      context_->ways);
  if (part != Part::mixer) project_feed_forward(layer, rows, block);
  if (part == Part::feed_forward) return;
  const LayerShape shape = shape_of(layer);
  linear_forward(normed_TH, shape.mixer_rows(layer.input_weight_NH), rows.mixer_TM);
  const at::Tensor bias = shape.mixer_bias(layer.input_bias);
  if (bias.defined()) add_bias(rows.mixer_TM, bias);
}

// Attention, or the hawk module but for its output projection.
void InferencePass::mix(const LayerTensors& layer, const Rows& rows) {
  const LayerShape shape = shape_of(layer);
  const int64_t tokens = rows.mixer_TM.size(0);
  const auto input = [&](int64_t i) { return shape.mixer_input(rows.mixer_TM, i); };
  if (layer.is_hawk) {
    mixer_state_.resize({num_hawk_chunks(tokens), hidden()}, at::kFloat, context_->device);
    return hawk_forward(input(0), input(1), layer.hawk, context_->sequences, rows.mixed_TH,
                        mixer_state_.tensor(), context_->ways);
  }
  mixer_state_.resize({context_->config->n_heads, tokens}, at::kFloat, context_->device);
  attention_forward({.q_THD = shape.to_heads(input(0)),
                     .k_THD = shape.to_heads(input(1)),
                     .v_THD = shape.to_heads(input(2)),
                     .cos_TR = context_->times.cos_TR(),
                     .sin_TR = context_->times.sin_TR(),
                     .sequences = &context_->sequences,
                     .window = context_->config->attention_width},
                    shape.to_heads(rows.mixed_TH), mixer_state_.tensor(), context_->ways);
}

// The layer's branch.
at::Tensor InferencePass::finish(const LayerTensors& layer, const Rows& rows, Block& block) const {
  if (layer.is_hawk) {
    const at::Tensor out_TH = shape_of(layer).mixed(rows.combined_TC);
    linear_forward(rows.mixed_TH, layer.hawk_out_weight_HH, out_TH);
    add_bias(out_TH, layer.hawk_out_bias_H);
  }
  const at::Tensor& branch_TH = resize(block.branch, {rows.sum_TH.size(0), hidden()});
  linear_forward(rows.combined_TC, layer.output_weight, branch_TH);
  if (layer.output_bias_H.defined()) add_bias(branch_TH, layer.output_bias_H);
  return branch_TH;
}

void InferencePass::final_norm(const Rows& rows, const at::Tensor& branch_TH,
                               const at::Tensor& out_TH, Block& block) const {
  rms_norm_forward({.x_TH = rows.sum_TH,
                    .branch_TH = branch_TH,
                    .sum_TH = rows.sum_TH,
                    .weight_H = weights_->out_norm_H,
                    .out_TH = out_TH,
                    .inverse_rms_T = block.inverse_rms.resize({rows.sum_TH.size(0)}, at::kFloat,
                                                              context_->device)},
                   context_->ways);
}

void InferencePass::run(const LayerContext& context, const EncoderTensors& weights,
                        const at::Tensor& residual_TH, const at::Tensor& rows_L,
                        const at::Tensor& out_LH) {
  context_ = &context;
  weights_ = &weights;
  residual_TH_ = residual_TH;
  const size_t last = weights.layers.size() - 1;
  const int64_t tokens = residual_TH.size(0);
  for (size_t i = 0; i <= last; ++i) {
    const LayerTensors& layer = weights.layers[i];
    const Part part = i == last && rows_L.defined() ? Part::mixer : Part::both;
    // Both layers' rows lie in the same buffers: those of the layer before are read row by row
    // before this layer's are written.
    const LayerTensors* before = i > 0 ? &weights.layers[i - 1] : nullptr;
    const Rows rows_before = before != nullptr ? all_rows(*before) : Rows{};
    const Rows rows = all_rows(layer);
    for_each_block(tokens, [&](int64_t first, int64_t count, Block& block) {
      at::Tensor branch_TH;
      if (before != nullptr)
        branch_TH = finish(*before, narrowed(rows_before, first, count), block);
      project(layer, narrowed(rows, first, count), branch_TH, part, block);
    });
    mix(layer, rows);
  }
  finish_last(rows_L, out_LH);
}

void InferencePass::finish_last(const at::Tensor& rows_L, const at::Tensor& out_LH) {
  const LayerTensors& layer = weights_->layers.back();
  const Rows rows = rows_L.defined() ? chosen_rows(layer, rows_L) : all_rows(layer);
  for_each_block(rows.sum_TH.size(0), [&](int64_t first, int64_t count, Block& block) {
    const Rows part = narrowed(rows, first, count);
    if (rows_L.defined()) project(layer, part, {}, Part::feed_forward, block);
    final_norm(part, finish(layer, part, block), out_LH.narrow(0, first, count), block);
  });
}

}  // namespace sequela
