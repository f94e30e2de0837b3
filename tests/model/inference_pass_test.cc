// The pass by blocks of rows against the layers that training uses (an observer is shown those).
#include "sequela/model/inference_pass.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "sequela/model/motor.h"
#include "tests/model/small_model.h"

namespace sequela {
namespace {

void ignore(const std::string&, const at::Tensor&) {}

// Hidden states of all tokens, by the layers of encoder_layer.h.
at::Tensor layer_by_layer(Motor& model, const BatchInputs& inputs) {
  model.set_observer(ignore);
  const at::Tensor hidden_TH = model.encode(inputs);
  model.set_observer({});
  return hidden_TH;
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

ModelConfig config_with(int64_t layers) {
  ModelConfig config = small_config();
  config.encoder.n_layers = layers;
  return config;
}

void expect_equal(const ModelConfig& config, Precision precision, double tolerance) {
  Motor model(config, 3, at::kCPU, precision);
  for (const std::vector<int64_t>& lengths :
       {std::vector<int64_t>{1}, {63, 1}, {64}, {300, 5, 290}, {2'000, 1, 700}}) {
    SCOPED_TRACE(str(lengths.front(), " tokens first, ", config.encoder.n_layers, " layers"));
    const BatchInputs inputs = small_batch(lengths, config.encoder.vocab_size).inputs;
    const at::Tensor expected_TH = layer_by_layer(model, inputs);
    EXPECT_LT(relative_difference(model.encode(inputs), expected_TH), tolerance);
    const int64_t tokens = expected_TH.size(0);
    const at::Tensor rows_L =
        at::tensor({tokens - 1, tokens / 2, int64_t{0}, tokens / 2}, at::kLong);
    EXPECT_LT(
        relative_difference(model.encode(inputs, rows_L), expected_TH.index_select(0, rows_L)),
        tolerance);
  }
}

TEST(InferencePass, EqualsTheLayersOfTraining) {
  for (const int64_t layers : {1, 2, 3, 4})  // the last one is hawk, attention, hawk, attention
    expect_equal(config_with(layers), Precision::fp32, 1e-6);
}

TEST(InferencePass, EqualsThemInBfloat16) {
  for (const int64_t layers : {3, 4}) expect_equal(config_with(layers), Precision::bf16, 1e-2);
}

TEST(InferencePass, KnowsEveryKindOfModel) {
  ModelConfig config = config_with(4);
  config.encoder.use_bias = true;
  expect_equal(config, Precision::fp32, 1e-6);
  config.encoder.hidden_act = "gelu";
  expect_equal(config, Precision::fp32, 1e-6);
  config.encoder.has_hawk = false;
  config.encoder.time_columns = TimeColumns::normalized_age;
  expect_equal(config, Precision::fp32, 1e-6);
  config.encoder.use_normed_ages = false;
  expect_equal(config, Precision::fp32, 1e-6);
}

TEST(InferencePass, HoldsForAnyNumberOfThreads) {
  const ModelConfig config = config_with(4);
  Motor model(config, 3, at::kCPU, Precision::fp32);
  const BatchInputs inputs = small_batch({900, 600, 77}, config.encoder.vocab_size).inputs;
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor alone_TH = model.encode(inputs);
  at::set_num_threads(3);
  EXPECT_LT(relative_difference(model.encode(inputs), alone_TH), 1e-6);
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace sequela
