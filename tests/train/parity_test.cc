// The optimizer against torch's, on femr's model: a hundred steps and the weights after them.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "sequela/train/optimizer.h"
#include "tests/model/fixtures.h"
#include "tests/model/reference_models.h"

namespace sequela {
namespace {

constexpr int kNumBatches = 5;

class TrainParity : public OnReferenceModel {
 protected:
  // The fixtures' setting: no clipping, and every parameter is decayed.
  static Optimizer optimizer_of(Motor& model) {
    for (Parameter& parameter : model.parameters().items) parameter.is_decayed = true;
    TrainOptions options;
    options.max_gradient_norm = 0;
    return Optimizer(model.parameters(), options);
  }
};

TEST_P(TrainParity, AHundredStepsOfAdamWEqualTorchs) {
  ModelDir dir = read_model_files(fixture("config.json"), fixture("weights.safetensors"));
  at::set_num_threads(1);
  Motor model(dir.config, std::move(dir.parameters), at::kCPU, Precision::fp32);
  model.set_time_at_risk(TimeAtRisk::log2_float16);  // the fixtures' own numbers are rounded so
  std::vector<MotorBatch> batches;
  for (int i = 0; i < kNumBatches; ++i) {
    const NpzFile file(reference_path(str("motor/g60/batches_seeded/batch_", i, ".npz")));
    batches.push_back({hierarchical_inputs(file), motor_targets(file)});
  }
  Optimizer optimizer = optimizer_of(model);
  const std::string path = fixture("loss_curve.json");
  const Json json = parse_json(read_file(path), path);
  ASSERT_EQ(json["curve"].size(), 100u);
  model.parameters().zero_gradients();
  for (const Json& row : json["curve"]) {
    const double loss = model.loss(batches[row[1].get<int>()], 1.0).item<double>();
    ASSERT_NEAR(loss, row[2].get<double>(), 1e-3) << "step " << row[0];
    optimizer.step(1e-3, optimizer.gradient_norm());
    model.parameters().zero_gradients();
    model.refresh_weights();
  }
  const TensorMap expected = read_tensors(fixture("weights_after_100.safetensors"));
  ASSERT_EQ(model.parameters().items.size(), expected.size());
  for (const Parameter& parameter : model.parameters().items) {
    EXPECT_LT(relative_difference(parameter.value, expected.at(parameter.name)), 1e-3)
        << parameter.name;
  }
}

SEQUELA_ON_REFERENCE_MODELS(TrainParity);

}  // namespace
}  // namespace sequela
