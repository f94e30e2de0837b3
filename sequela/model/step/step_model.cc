#include "sequela/model/step/step_model.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <stdexcept>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/few_rows.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/token_embedding.h"

namespace sequela {
namespace {

// Rotates the pairs of each head by the row's angles.
void rotate(float* x, int64_t heads, int64_t half, const float* cosines, const float* sines) {
  for (int64_t h = 0; h < heads; ++h) {
    for (int64_t r = 0; r < half; ++r, x += 2) {
      const float first = x[0], second = x[1];
      x[0] = first * cosines[r] - second * sines[r];
      x[1] = second * cosines[r] + first * sines[r];
    }
  }
}

// A row into a slot, rounded to bfloat16 if the slots are.
void put_row(const float* row, int64_t size, KeyPrecision keys, void* to) {
  if (keys == KeyPrecision::fp32) {
    std::copy_n(row, size, static_cast<float*>(to));
  } else {
    std::copy_n(row, size, static_cast<at::BFloat16*>(to));
  }
}

at::Tensor flat_copy(const at::Tensor& flat, at::ScalarType type) {
  at::Tensor copy = empty_on_huge_pages(flat.sizes(), type);
  copy.copy_(flat);
  return copy;
}

}  // namespace

StepModel::StepModel(const ModelConfig& config, const Parameters& parameters, Precision precision,
                     KeyPrecision keys)
    : config_(config), layout_(config.encoder, keys) {
  SEQUELA_CHECK(parameters.flat_values.defined() && parameters.flat_values.is_cpu());
  bind(parameters, precision);
}

void StepModel::bind(const Parameters& parameters, Precision precision) {
  flat_ = flat_copy(parameters.flat_values, at::kFloat);
  flat_matrices_ =
      precision == Precision::bf16 ? flat_copy(parameters.flat_values, at::kBFloat16) : flat_;
  weights_ = bind_encoder(config_, parameters, flat_, flat_matrices_);
  if (config_.motor) head_ = bind_motor_head(parameters, flat_, flat_matrices_);
  for (const LayerTensors& layer : weights_.layers) {
    matrix_bytes_ += static_cast<int64_t>(layer.input_weight_NH.nbytes()) +
                     static_cast<int64_t>(layer.output_weight.nbytes());
    if (!layer.is_hawk) continue;
    hawk_.emplace_back(layer.hawk);
    matrix_bytes_ += static_cast<int64_t>(layer.hawk_out_weight_HH.nbytes()) +
                     2 * static_cast<int64_t>(layer.hawk.a_gate_weight_NBB.nbytes());
  }
}

void StepModel::embed(const at::Tensor& ids_N, const at::Tensor& weights_N,
                      const at::Tensor& offsets_T1, const at::Tensor& out_TH) const {
  embedding_bag_forward(weights_.embedding_VH, ids_N, weights_N, offsets_T1, out_TH);
}

void StepModel::linear(const at::Tensor& x_TI, const at::Tensor& weight_OI,
                       const at::Tensor& out_TO) {
  if (x_TI.size(0) <= kFewRows) return linear_few_rows(x_TI, weight_OI, out_TO);
  if (weight_OI.scalar_type() == at::kFloat) return linear_forward(x_TI, weight_OI, out_TO);
  const at::Tensor& x = x_copy_.resize(x_TI.sizes(), at::kBFloat16, at::kCPU);
  const at::Tensor& out = out_copy_.resize(out_TO.sizes(), at::kBFloat16, at::kCPU);
  x.copy_(x_TI);
  linear_forward(x, weight_OI, out);
  out_TO.copy_(out);
}

// Groups the rows by sequence and prepares what all layers share.
void StepModel::start(const StepRows& rows) {
  const auto tokens = static_cast<int64_t>(rows.states_T.size());
  groups_.clear();
  for (int64_t t = 0; t < tokens; ++t) {
    if (t == 0 || rows.states_T[t] != rows.states_T[t - 1]) groups_.push_back({t, t});
    groups_.back().end = t + 1;
  }
  times_.fill(config_.encoder, rows.ages_days_T, rows.time_data_T5, at::kCPU);
  inverse_rms_.resize({tokens}, at::kFloat, at::kCPU);
}

const at::Tensor& StepModel::forward(const StepRows& rows) {
  start(rows);
  const at::Tensor& sum_TH = sum_.resize(rows.embedded_TH.sizes(), at::kFloat, at::kCPU);
  rms_norm_forward({.x_TH = rows.embedded_TH,
                    .weight_H = weights_.in_norm_H,
                    .out_TH = sum_TH,
                    .inverse_rms_T = inverse_rms_.tensor()});
  at::Tensor branch_TH;
  for (int64_t i = 0; i < config_.encoder.n_layers; ++i) {
    const LayerTensors& weights = weights_.layers[i];
    rms_norm_forward({.x_TH = sum_TH,
                      .branch_TH = branch_TH,
                      .sum_TH = sum_TH,
                      .weight_H = weights.norm_weight_H,
                      .time_features_TK = times_.columns(weights.is_hawk),
                      .out_TH = normed_.resize(sum_TH.sizes(), at::kFloat, at::kCPU),
                      .inverse_rms_T = inverse_rms_.tensor()});
    branch_TH = layer(rows, i);
  }
  const at::Tensor& hidden_TH = hidden_.resize(sum_TH.sizes(), at::kFloat, at::kCPU);
  rms_norm_forward({.x_TH = sum_TH,
                    .branch_TH = branch_TH,
                    .sum_TH = sum_TH,
                    .weight_H = weights_.out_norm_H,
                    .out_TH = hidden_TH,
                    .inverse_rms_T = inverse_rms_.tensor()});
  for (const Group& group : groups_)
    rows.states_T[group.begin]->num_tokens = rows.positions_T[group.end - 1] + 1;
  return hidden_TH;
}

// One layer's branch from its normed input.
const at::Tensor& StepModel::layer(const StepRows& rows, int64_t i) {
  const LayerTensors& weights = weights_.layers[i];
  const LayerShape shape = shape_of(i);
  const int64_t tokens = normed_.tensor().size(0);
  const at::Tensor& projected_TN =
      projected_.resize({tokens, shape.projected_columns()}, at::kFloat, at::kCPU);
  linear(normed_.tensor(), weights.input_weight_NH, projected_TN);
  const at::Tensor& bias = weights.input_bias;
  if (bias.defined()) add_bias(shape.with_bias(projected_TN, bias), bias);
  const at::Tensor& combined =
      combined_.resize({tokens, shape.combined_columns()}, at::kFloat, at::kCPU);
  shape.activate(shape.ff(projected_TN), shape.active(combined));
  mix(rows, i, shape.mixed(combined));
  const at::Tensor& branch_TH =
      branch_.resize({tokens, config_.encoder.hidden_size}, at::kFloat, at::kCPU);
  linear(combined, weights.output_weight, branch_TH);
  if (weights.output_bias_H.defined()) add_bias(branch_TH, weights.output_bias_H);
  return branch_TH;
}

void StepModel::mix(const StepRows& rows, int64_t i, const at::Tensor& out_TH) {
  const LayerTensors& weights = weights_.layers[i];
  const at::Tensor& mixed_TH =
      weights.is_hawk ? gated_.resize(out_TH.sizes(), at::kFloat, at::kCPU) : out_TH;
  at::parallel_for(0, static_cast<int64_t>(groups_.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) {
      weights.is_hawk ? hawk(rows, i, groups_[g], mixed_TH)
                      : attention(rows, i, groups_[g], mixed_TH);
    }
  });
  if (!weights.is_hawk) return;
  linear(mixed_TH, weights.hawk_out_weight_HH, out_TH);
  add_bias(out_TH, weights.hawk_out_bias_H);
}

void StepModel::hawk(const StepRows& rows, int64_t i, const Group& group,
                     const at::Tensor& out_TH) {
  const int64_t hidden = layout_.hidden_size();
  const at::Tensor& projected_TN = projected_.tensor();
  float* memory = layout_.recurrent_of(*rows.states_T[group.begin], i);
  std::vector<float> scratch(3 * hidden);
  for (int64_t t = group.begin; t < group.end; ++t) {
    const float* x = projected_TN.const_data_ptr<float>() + t * projected_TN.stride(0) +
                     config_.encoder.ff_columns();
    hawk_step(hawk_[layout_.rank_of(i)],
              {.x_W = x,
               .y_W = x + hidden,
               .is_start = rows.positions_T[t] == 0,
               .history_3W = memory,
               .state_W = memory + 3 * hidden,
               .out_W = out_TH.data_ptr<float>() + t * out_TH.stride(0)},
              scratch);
  }
}

void StepModel::attention(const StepRows& rows, int64_t i, const Group& group,
                          const at::Tensor& out_TH) {
  const int64_t hidden = layout_.hidden_size(), heads = config_.encoder.n_heads;
  const int64_t half = config_.encoder.head_size() / 2, window = layout_.window();
  const at::Tensor& projected_TN = projected_.tensor();
  EncoderState& state = *rows.states_T[group.begin];
  std::vector<const void*> chunks;
  for (const auto& chunk : state.chunks) chunks.push_back(chunk.get());
  std::vector<float> scratch(heads * layout_.num_slots(rows.positions_T[group.end - 1] + 1));
  for (int64_t t = group.begin; t < group.end; ++t) {
    float* q =
        projected_TN.data_ptr<float>() + t * projected_TN.stride(0) + config_.encoder.ff_columns();
    float* k = q + hidden;
    const float* cosines = times_.cos_TR().const_data_ptr<float>() + t * half;
    const float* sines = times_.sin_TR().const_data_ptr<float>() + t * half;
    rotate(q, heads, half, cosines, sines);
    rotate(k, heads, half, cosines, sines);

    const int64_t slot = rows.positions_T[t] % window;
    std::byte* chunk = state.chunks[slot / kSlotsPerChunk].get();
    const int64_t row = slot % kSlotsPerChunk * layout_.row_bytes();
    put_row(k, hidden, layout_.keys(), chunk + layout_.keys_offset(i) + row);
    put_row(k + hidden, hidden, layout_.keys(), chunk + layout_.values_offset(i) + row);
    attention_step({.q_HD = q,
                    .chunks = chunks.data(),
                    .keys_offset = layout_.keys_offset(i),
                    .values_offset = layout_.values_offset(i),
                    .is_bf16 = layout_.keys() == KeyPrecision::bf16,
                    .num_slots = layout_.num_slots(rows.positions_T[t] + 1),
                    .num_heads = heads,
                    .head_size = 2 * half,
                    .out_HD = out_TH.data_ptr<float>() + t * out_TH.stride(0)},
                   scratch);
  }
}

void StepModel::keep_tasks(const std::vector<int64_t>& tasks) {
  if (!config_.motor) throw std::invalid_argument("the model has no MOTOR head");
  MotorHeadConfig& motor = *config_.motor;
  std::vector<MotorHeadConfig::Task> kept;
  for (const int64_t task : tasks) {
    if (task < 0 || task >= motor.num_tasks()) throw std::invalid_argument("no task of the head");
    kept.push_back(motor.tasks[task]);
  }
  const at::Tensor ids = at::tensor(tasks, at::kLong);
  head_.task_weight_CF = head_.task_weight_CF.index_select(0, ids);
  head_.task_bias_C = head_.task_bias_C.index_select(0, ids);
  if (head_.time_bias_KC.defined()) head_.time_bias_KC = head_.time_bias_KC.index_select(1, ids);
  motor.tasks = std::move(kept);
}

void StepModel::log2_rates(const at::Tensor& hidden_TH, const at::Tensor& out_TKC) {
  if (!config_.motor) throw std::invalid_argument("the model has no MOTOR head");
  const MotorHeadConfig& motor = *config_.motor;
  const int64_t tokens = hidden_TH.size(0), rows = tokens * motor.num_bins();
  const int64_t width = motor.final_layer_size;
  const at::Tensor& bins = bins_.resize({tokens, motor.num_bins() * width}, at::kFloat, at::kCPU);
  linear(hidden_TH, head_.final_weight, bins);
  add_bias(bins, head_.final_bias);
  at::Tensor z = bins.view({rows, width});
  if (motor.has_norm) {
    const at::Tensor normed = bins_normed_.resize({rows, width}, at::kFloat, at::kCPU);
    rms_norm_forward({.x_TH = z,
                      .weight_H = head_.norm_weight,
                      .out_TH = normed,
                      .inverse_rms_T = bins_inverse_.resize({rows}, at::kFloat, at::kCPU)});
    z = normed;
  }
  const at::Tensor out = out_TKC.view({rows, motor.num_tasks()});
  linear(z, head_.task_weight_CF, out);
  add_bias(out, head_.task_bias_C);
  if (head_.time_bias_KC.defined()) at::Tensor(out_TKC).add_(head_.time_bias_KC);
}

}  // namespace sequela
