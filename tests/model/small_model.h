#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/model/encoder_config.h"
#include "sequela/nn/inputs.h"

namespace sequela {

// A model small enough for finite differences, with every kind of layer.
inline ModelConfig small_config() {
  ModelConfig config;
  config.encoder.vocab_size = 40;
  config.encoder.hidden_size = 32;
  config.encoder.intermediate_size = 48;
  config.encoder.n_heads = 4;
  config.encoder.n_layers = 3;
  config.encoder.attention_width = 7;
  config.motor = MotorHeadConfig{};
  for (int i = 0; i < 11; ++i) config.motor->tasks.push_back({str("T/", i), 1e-7 * (i + 1)});
  config.motor->time_bins = {0, 1e6, 1e7, INFINITY};
  config.motor->final_layer_size = 16;
  return config;
}

// Sequences of the given lengths with three codes per token and a label on every fourth.
inline MotorBatch small_batch(const std::vector<int64_t>& lengths, int64_t vocabulary) {
  int64_t tokens = 0;
  for (int64_t length : lengths) tokens += length;
  const int64_t labels = (tokens + 3) / 4;
  const auto ramp = [](int64_t size, double step) {
    return at::arange(size, at::kDouble).mul(step).to(at::kFloat);
  };
  MotorBatch batch;
  batch.inputs.lengths_S = at::tensor(lengths, at::kLong).to(at::kInt);
  batch.inputs.token_ids_N = at::arange(tokens * 3, at::kInt).mul(7).remainder(vocabulary);
  batch.inputs.token_weights_N = ramp(tokens * 3, 0.01) + 0.1;
  batch.inputs.token_offsets_T1 = at::arange(tokens + 1, at::kInt) * 3;
  batch.inputs.ages_days_T = ramp(tokens, 3.7);
  batch.inputs.time_data_T5 = at::sin(ramp(tokens * 5, 1)).view({tokens, 5});
  batch.inputs.label_indices_L = at::arange(labels, at::kInt) * 4;
  batch.targets.censor_seconds_L = ramp(labels, 3e5) + 1e6;
  batch.targets.row_offsets_L1 = at::arange(labels + 1, at::kInt) * 2;
  batch.targets.task_ids_Z = at::tensor({1, 6}, at::kInt).repeat({labels});
  batch.targets.event_seconds_Z = ramp(labels * 2, 1e5) + 1e3;
  return batch;
}

}  // namespace sequela
