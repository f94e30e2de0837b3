// The model against femr's own numbers: every stage, the loss, every gradient, 100 optimizer steps.
#include "sequela/model/motor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "tests/model/fixtures.h"
#include "tests/model/reference_models.h"

namespace sequela {
namespace {

constexpr int kNumBatches = 5;

class MotorParity : public OnReferenceModel {
 protected:
  Motor open() const {
    ModelDir dir = read_model_files(fixture("config.json"), fixture("weights.safetensors"));
    Motor model(dir.config, std::move(dir.parameters), at::kCPU, Precision::fp32);
    model.set_time_at_risk(TimeAtRisk::log2_float16);  // the fixtures' own numbers are rounded so
    return model;
  }
  static MotorBatch batch(int i) {
    const NpzFile file(reference_path(str("motor/g60/batches_seeded/batch_", i, ".npz")));
    return {hierarchical_inputs(file), motor_targets(file)};
  }
};

TEST_P(MotorParity, EveryStageOfTheForwardPassEqualsFemr) {
  Motor model = open();
  const TensorMap expected = read_tensors(fixture("forward_out.safetensors"));
  int num_compared = 0;
  model.set_observer([&](const std::string& stage, const at::Tensor& value) {
    ASSERT_TRUE(expected.contains(stage)) << stage;
    EXPECT_LT(max_difference(value, expected.at(stage)), 1e-4) << stage;
    ++num_compared;
  });
  const at::Tensor hidden = model.encode(batch(0).inputs);
  EXPECT_EQ(num_compared, 3 + 4 + (model_name() == "model_main" ? 2 : 0));
  model.set_observer({});
  EXPECT_LT(max_difference(hidden, expected.at("final_hidden")), 1e-4);
  EXPECT_LT(max_difference(model.logits(batch(0).inputs), expected.at("time_dependent_logits")),
            1e-4);
  EXPECT_NEAR(model.loss(batch(0), std::nullopt).item<double>(), expected.at("loss").item<double>(),
              1e-4);
}

TEST_P(MotorParity, EveryGradientEqualsFemr) {
  Motor model = open();
  const TensorMap expected = read_tensors(fixture("grads.safetensors"));
  model.parameters().zero_gradients();
  model.loss(batch(0), 1.0);
  ASSERT_EQ(model.parameters().items.size(), expected.size());
  for (const Parameter& item : model.parameters().items) {
    EXPECT_LT(relative_difference(item.gradient, expected.at(item.name)), 1e-3) << item.name;
  }
}

TEST_P(MotorParity, GradientsAddUpWithTheirScales) {
  Motor model = open();
  model.loss(batch(0), 0.25);
  model.loss(batch(1), 0.0);
  model.loss(batch(0), 0.75);
  const TensorMap expected = read_tensors(fixture("grads.safetensors"));
  for (const Parameter& item : model.parameters().items) {
    EXPECT_LT(relative_difference(item.gradient, expected.at(item.name)), 1e-3) << item.name;
  }
}

// AdamW as in the fixture: lr 1e-3, decay 0.1 on everything, betas 0.9 and 0.95.
void adamw_step(Parameters& parameters, at::Tensor& mean, at::Tensor& square, int step) {
  const at::Tensor& gradient = parameters.flat_gradients;
  mean.mul_(0.9).add_(gradient, 0.1);
  square.mul_(0.95).addcmul_(gradient, gradient, 0.05);
  const at::Tensor scale = (square / (1 - std::pow(0.95, step))).sqrt_().add_(1e-8);
  parameters.flat_values.mul_(1 - 1e-3 * 0.1)
      .addcdiv_(mean, scale, -1e-3 / (1 - std::pow(0.9, step)));
}

TEST_P(MotorParity, AHundredOptimizerStepsFollowFemrsLossCurve) {
  Motor model = open();
  std::vector<MotorBatch> batches;
  for (int i = 0; i < kNumBatches; ++i) batches.push_back(batch(i));
  Parameters& parameters = model.parameters();
  at::Tensor mean = at::zeros_like(parameters.flat_values);
  at::Tensor square = at::zeros_like(parameters.flat_values);
  const std::string path = fixture("loss_curve.json");
  const Json json = parse_json(read_file(path), path);
  ASSERT_EQ(json["curve"].size(), 100);
  double worst = 0;
  for (const Json& row : json["curve"]) {
    const int step = row[0].get<int>();
    parameters.zero_gradients();
    const double loss = model.loss(batches[row[1].get<int>()], 1.0).item<double>();
    worst = std::max(worst, std::abs(loss - row[2].get<double>()));
    adamw_step(parameters, mean, square, step + 1);
    model.refresh_weights();
  }
  EXPECT_LT(worst, 1e-3);
}

TEST_P(MotorParity, BfloatStaysNearFloat) {
  ModelDir dir = read_model_files(fixture("config.json"), fixture("weights.safetensors"));
  Motor model(dir.config, std::move(dir.parameters), at::kCPU, Precision::bf16);
  const TensorMap expected = read_tensors(fixture("forward_out.safetensors"));
  const TensorMap gradients = read_tensors(fixture("grads.safetensors"));
  EXPECT_NEAR(model.loss(batch(0), 1.0).item<double>(), expected.at("loss").item<double>(), 5e-3);
  EXPECT_LT(relative_difference(model.encode(batch(0).inputs), expected.at("final_hidden")), 2e-2);
  for (const Parameter& item : model.parameters().items) {
    EXPECT_LT(relative_difference(item.gradient, gradients.at(item.name)), 0.1) << item.name;
  }
}

SEQUELA_ON_REFERENCE_MODELS(MotorParity);

}  // namespace
}  // namespace sequela
