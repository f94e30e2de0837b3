#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/model/motor.h"
#include "sequela/nn/kernel_check.h"

namespace sequela {

// A small model and a batch for it, for comparisons of devices.
inline ModelConfig twin_config() {
  ModelConfig config;
  config.encoder.vocab_size = 500;
  config.encoder.hidden_size = 128;
  config.encoder.intermediate_size = 256;
  config.encoder.n_heads = 2;
  config.encoder.n_layers = 4;
  config.encoder.attention_width = 48;
  MotorHeadConfig head;
  for (int i = 0; i < 40; ++i) head.tasks.push_back({"T/" + std::to_string(i), 1e-7, 10, 10, 1e6});
  head.time_bins = {0, 1e5, 1e6, 1e7, INFINITY};
  head.final_layer_size = 32;
  config.motor = head;
  return config;
}

// Sequences of odd lengths, one of a single token; every seventh token has a label with three
// events.
inline MotorBatch twin_batch() {
  const std::vector<int32_t> lengths = {1, 70, 129, 33, 200};
  std::vector<int32_t> tokens, offsets = {0}, labels, rows = {0}, tasks;
  std::vector<float> weights, ages, time_data, censor, events;
  Random random(7);
  for (int32_t length : lengths) {
    for (int32_t t = 0; t < length; ++t) {
      for (int c = 0; c < 4; ++c) {
        tokens.push_back(static_cast<int32_t>(random.below(500)));
        weights.push_back(0.25f);
      }
      offsets.push_back(static_cast<int32_t>(tokens.size()));
      if (t % 7 == 3) {
        labels.push_back(static_cast<int32_t>(ages.size()));
        censor.push_back(2e6f);
        for (int32_t task : {1, 17, 39}) {
          tasks.push_back(task);
          events.push_back(static_cast<float>(1e4 + 1e6 * random.uniform()));
        }
        rows.push_back(static_cast<int32_t>(tasks.size()));
      }
      ages.push_back(static_cast<float>(10'000 + 3 * t));
      for (int d = 0; d < 5; ++d) time_data.push_back(static_cast<float>(random.normal()));
    }
  }
  const auto num_tokens = static_cast<int64_t>(ages.size());
  const auto num_sequences = static_cast<int64_t>(lengths.size());
  MotorBatch batch;
  batch.inputs = {.subject_ids_S = at::arange(num_sequences, at::kLong),
                  .lengths_S = at::tensor(lengths, at::kInt),
                  .token_ids_N = at::tensor(tokens, at::kInt),
                  .token_weights_N = at::tensor(weights),
                  .token_offsets_T1 = at::tensor(offsets, at::kInt),
                  .ages_days_T = at::tensor(ages),
                  .time_data_T5 = at::tensor(time_data).reshape({num_tokens, 5}),
                  .timestamps_T = at::zeros({num_tokens}, at::kLong),
                  .label_indices_L = at::tensor(labels, at::kInt)};
  batch.targets = {.censor_seconds_L = at::tensor(censor),
                   .row_offsets_L1 = at::tensor(rows, at::kInt),
                   .task_ids_Z = at::tensor(tasks, at::kInt),
                   .event_seconds_Z = at::tensor(events)};
  return batch;
}

// In float32, element by element: own kernels but for attention, which is plain.
inline void expect_float32_twins(Motor& cpu, Motor& other) {
  const MotorBatch batch = twin_batch();
  cpu.parameters().zero_gradients();
  other.parameters().zero_gradients();
  const double expected = cpu.loss(batch, 1.0).item<double>();
  EXPECT_NEAR(other.loss(batch, 1.0).item<double>(), expected, 1e-4 * std::abs(expected));
  EXPECT_LT(row_error(other.encode(batch.inputs), cpu.encode(batch.inputs)), 1e-3);
  for (const Parameter& parameter : cpu.parameters().items) {
    const at::Tensor gradient = other.parameters().find(parameter.name)->gradient;
    EXPECT_LT(row_error(gradient, parameter.gradient, 1), 1e-2) << parameter.name;
  }
}

}  // namespace sequela
