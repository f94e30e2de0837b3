// The kernels of a GPU against those of the CPU: a whole model, forward and backward, on the same
// batch.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/model/motor.h"

namespace sequela {
namespace {

#define SEQUELA_NEED_CUDA() \
  if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device, or a torch without CUDA, on this machine"

ModelConfig small_config() {
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
MotorBatch random_batch() {
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

// The norm of what differs, as a share of the norm of what was expected.
double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  const at::Tensor wide = expected.to(at::kCPU, at::kDouble);
  const at::Tensor difference = actual.to(at::kCPU, at::kDouble) - wide;
  return (difference.norm() / wide.norm().clamp_min(1e-30)).item<double>();
}

// What bfloat16 may change: 8 bits of mantissa, through two layers and back.
constexpr double kStateError = 0.04, kGradientError = 0.1;

TEST(CudaTwin, LossAndGradientsEqualTheCpus) {
  SEQUELA_NEED_CUDA();
  const MotorBatch batch = random_batch();
  Motor cpu(small_config(), 3, at::kCPU, Precision::fp32);
  Motor gpu(small_config(), 3, at::Device("cuda:0"), Precision::bf16);
  cpu.parameters().zero_gradients();
  gpu.parameters().zero_gradients();
  const double expected = cpu.loss(batch, 1.0).item<double>();
  EXPECT_NEAR(gpu.loss(batch, 1.0).item<double>(), expected, 1e-2 * std::abs(expected));
  for (const Parameter& parameter : cpu.parameters().items) {
    const Parameter* twin = gpu.parameters().find(parameter.name);
    ASSERT_NE(twin, nullptr) << parameter.name;
    if (parameter.gradient.norm().item<double>() < 1e-8) continue;
    EXPECT_LT(relative_error(twin->gradient, parameter.gradient), kGradientError) << parameter.name;
  }
}

TEST(CudaTwin, HiddenStatesEqualTheCpus) {
  SEQUELA_NEED_CUDA();
  const MotorBatch batch = random_batch();
  Motor cpu(small_config(), 3, at::kCPU, Precision::fp32);
  Motor gpu(small_config(), 3, at::Device("cuda:0"), Precision::bf16);
  EXPECT_LT(relative_error(gpu.encode(batch.inputs), cpu.encode(batch.inputs)), kStateError);
}

// Keeps the test itself honest where there is no GPU: bf16 on the CPU must pass the same
// comparison.
TEST(CudaTwin, ComparisonHoldsForTheCpusOwnBfloat16) {
  const MotorBatch batch = random_batch();
  Motor exact(small_config(), 3, at::kCPU, Precision::fp32);
  Motor rounded(small_config(), 3, at::kCPU, Precision::bf16);
  exact.parameters().zero_gradients();
  rounded.parameters().zero_gradients();
  const double expected = exact.loss(batch, 1.0).item<double>();
  EXPECT_NEAR(rounded.loss(batch, 1.0).item<double>(), expected, 1e-2 * std::abs(expected));
  for (const Parameter& parameter : exact.parameters().items) {
    if (parameter.gradient.norm().item<double>() < 1e-8) continue;
    const at::Tensor gradient = rounded.parameters().find(parameter.name)->gradient;
    EXPECT_LT(relative_error(gradient, parameter.gradient), kGradientError) << parameter.name;
  }
  EXPECT_LT(relative_error(rounded.encode(batch.inputs), exact.encode(batch.inputs)), kStateError);
}

}  // namespace
}  // namespace sequela
