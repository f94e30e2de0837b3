// A whole model by the kernels and in torch's own operations: states, gradients, training.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>

#include "sequela/model/motor.h"
#include "tests/model/small_model.h"

namespace sequela {
namespace {

constexpr int kSteps = 10;

ModelConfig config_with(int64_t hidden, int64_t heads) {
  ModelConfig config = small_config();
  config.encoder.hidden_size = hidden;
  config.encoder.n_heads = heads;
  return config;
}

MotorBatch batch() {
  return small_batch({30, 1, 70, 300}, 40);
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

Motor motor(const ModelConfig& config, Precision precision, const Ways& ways) {
  return Motor(config, 5, at::kCPU, precision, ways);
}

TEST(ModelWays, StatesAreTheSame) {
  for (const auto& [hidden, heads] : {std::pair{32, 4}, {48, 2}, {64, 1}}) {
    const ModelConfig config = config_with(hidden, heads);
    Motor own = motor(config, Precision::fp32, Kernels::own);
    Motor plain = motor(config, Precision::fp32, Kernels::plain);
    const BatchInputs inputs = batch().inputs;
    EXPECT_LT(largest_difference(own.encode(inputs), plain.encode(inputs)), 1e-5);
    const at::Tensor rows = at::tensor({0, 31, 400}, at::kLong);
    EXPECT_LT(largest_difference(own.encode(inputs, rows), plain.encode(inputs, rows)), 1e-5);
    EXPECT_LT(largest_difference(own.logits(inputs), plain.logits(inputs)), 1e-4);
  }
}

// Rounding to eight bits at each stage: bound as of the kernels against double (docs/design.md,
// section 14.1).
TEST(ModelWays, Bfloat16DiffersByItsRounding) {
  const ModelConfig config = config_with(64, 2);
  Motor own = motor(config, Precision::bf16, Kernels::own);
  Motor plain = motor(config, Precision::bf16, Kernels::plain);
  const at::Tensor states = own.encode(batch().inputs);
  const double largest = states.abs().max().item<double>();
  EXPECT_LT(largest_difference(states, plain.encode(batch().inputs)), 2e-2 * largest);
}

// Plain gradient descent, so that a difference in a gradient is one in the weights.
at::Tensor losses_of(Motor& model, double rate) {
  std::vector<double> losses;
  for (int step = 0; step < kSteps; ++step) {
    model.parameters().zero_gradients();
    losses.push_back(model.loss(batch(), 1.0).item<double>());
    model.parameters().flat_values.sub_(model.parameters().flat_gradients, rate);
    model.refresh_weights();
  }
  return at::tensor(losses);
}

void expect_same_training(Precision precision, Activations activations, double bound) {
  const ModelConfig config = config_with(32, 4);
  Motor own = motor(config, precision, Kernels::own);
  Motor plain = motor(config, precision, Kernels::plain);
  own.set_activations(activations);
  plain.set_activations(activations);
  const at::Tensor expected = losses_of(own, 0.05), losses = losses_of(plain, 0.05);
  EXPECT_LT(expected[kSteps - 1].item<double>(), expected[0].item<double>());
  EXPECT_LT(largest_difference(losses, expected), bound);
  for (const Parameter& item : own.parameters().items) {
    const Parameter* twin = plain.parameters().find(item.name);
    ASSERT_NE(twin, nullptr);
    EXPECT_LT(largest_difference(twin->value, item.value), bound) << item.name;
  }
}

TEST(ModelWays, TenStepsOfTrainingAreTheSame) {
  expect_same_training(Precision::fp32, Activations::kept, 1e-3);
  expect_same_training(Precision::fp32, Activations::recomputed, 1e-3);
}

TEST(ModelWays, TenStepsOfTrainingInBfloat16DifferByItsRounding) {
  expect_same_training(Precision::bf16, Activations::kept, 2e-2);
}

// Not all of a step's operations need go the same way.
TEST(ModelWays, MayBeMixed) {
  for (const Operation refused : kOperations) {
    SCOPED_TRACE(to_text(refused));
    Ways mixed;
    mixed.refuse(refused, at::kFloat);
    const ModelConfig config = config_with(32, 4);
    Motor own = motor(config, Precision::fp32, {}), other = motor(config, Precision::fp32, mixed);
    for (Motor* model : {&own, &other}) {
      model->parameters().zero_gradients();
      model->loss(batch(), 1.0);
    }
    EXPECT_LT(
        largest_difference(own.parameters().flat_gradients, other.parameters().flat_gradients),
        1e-4);
  }
}

}  // namespace
}  // namespace sequela
