// The optimizer's health against numbers from snapshots; the run's log and metrics.json.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/run_log.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

using Health = TrainTest;

Json metrics_of(const std::string& folder) {
  const std::string path = folder + "/metrics.json";
  return parse_json(read_file(path), path);
}

double norm_of(const at::Tensor& tensor) {
  return tensor.to(at::kDouble).norm().item<double>();
}

TEST(OptimizerHealth, EqualsSnapshotsOfEachPart) {
  at::manual_seed(3);
  Parameters parameters;
  parameters.items.push_back({"matrix", at::randn({7, 5}), {}, true});
  parameters.items.push_back({"bias", at::randn({3}), {}, false});
  parameters.zero_gradients();
  TrainOptions options;
  options.epsilon = 0.05;
  options.max_gradient_norm = 0;
  options.groups = {{"bias", 0.5}};
  Optimizer optimizer(parameters, options);
  const std::vector<ParameterPart> parts = {
      {"a", 0, 1, 0, 2}, {"b", 0, 1, 2, 3}, {"b", 1, 0, 0, 3}};
  at::Tensor square = at::zeros({7, 5}, at::kDouble);
  for (int step = 1; step <= 4; ++step) {
    const at::Tensor before = parameters.items[0].value.clone();
    const at::Tensor bias_before = parameters.items[1].value.clone();
    const at::Tensor gradient = at::randn({7, 5}) * 0.2, bias_gradient = at::randn({3});
    parameters.items[0].gradient.copy_(gradient);
    parameters.items[1].gradient.copy_(bias_gradient);
    auto health = gradient_norms(parameters, parts, 2.0);
    optimizer.step(1e-2, optimizer.gradient_norm(), 2.0);
    measure_step(optimizer, parameters, parts, health);

    square = square * options.beta2 + (1 - options.beta2) * (gradient / 2).to(at::kDouble).square();
    const at::Tensor root = (square / (1 - std::pow(options.beta2, step))).sqrt();
    ASSERT_EQ(health.size(), 2u);
    EXPECT_EQ(health[0].kind, "a");
    EXPECT_NEAR(health[0].gradient_norm, norm_of(gradient.narrow(1, 0, 2)) / 2, 1e-6);
    const at::Tensor& after = parameters.items[0].value;
    const at::Tensor& bias_after = parameters.items[1].value;
    EXPECT_NEAR(health[0].update_ratio,
                norm_of((after - before).narrow(1, 0, 2)) / norm_of(after.narrow(1, 0, 2)), 1e-6);
    const double update =
        std::hypot(norm_of((after - before).narrow(1, 2, 3)), norm_of(bias_after - bias_before));
    EXPECT_NEAR(health[1].update_ratio,
                update / std::hypot(norm_of(after.narrow(1, 2, 3)), norm_of(bias_after)), 1e-6);
    EXPECT_NEAR(health[0].starved,
                root.narrow(1, 0, 2).lt(options.epsilon).to(at::kDouble).mean().item<double>(),
                1e-9);
  }
}

TEST(OptimizerHealth, WarnsOfMoreThanATenthAndNamesTheMend) {
  EXPECT_EQ(starvation_warning({{"head", 1, 1, 0.1}}, 1e-8), "");
  const std::string warning =
      starvation_warning({{"head", 1, 1, 0.1}, {"embedding", 1, 1, 0.874}}, 1e-8);
  EXPECT_NE(warning.find("embedding 87 %"), std::string::npos) << warning;
  EXPECT_EQ(warning.find("head"), std::string::npos) << warning;
  EXPECT_NE(warning.find("Fix: lower --epsilon"), std::string::npos) << warning;
}

TEST_F(Health, KindsCoverEachValueOfTheModelOnce) {
  Motor model = fresh_model();
  const MotorTraining training(model, nullptr, nullptr);
  std::map<std::string, int64_t> sizes;
  std::vector<at::Tensor> counts;
  for (const Parameter& parameter : model.parameters().items)
    counts.push_back(at::zeros_like(parameter.value));
  for (const ParameterPart& part : training.parts()) {
    counts[part.parameter].narrow(part.dimension, part.start, part.length).add_(1);
    sizes[part.kind] += 1;
  }
  for (const at::Tensor& count : counts) EXPECT_TRUE(count.eq(1).all().item<bool>());
  for (const char* kind : {"embedding", "hawk", "attention", "feed_forward", "head", "norms"})
    EXPECT_GT(sizes[kind], 0) << kind;
  EXPECT_EQ(sizes.size(), 6u);
}

TEST_F(Health, EachLogLineHasItAndTheWarningComesOnce) {
  std::vector<std::string> warnings;
  set_log_sink([&](LogLevel level, const std::string& message) {
    if (level == LogLevel::warning) warnings.push_back(message);
  });
  TrainOptions options = small_run(folder_ / "run");
  options.epsilon = 1;  // everything is starved
  Motor model = fresh_model();
  run(model, options);
  set_log_sink({});
  EXPECT_EQ(warnings.size(), 1u);
  const Json metrics = metrics_of(options.folder);
  ASSERT_EQ(metrics["log"].size(), 2u);  // steps 3 and 6 of 8
  ASSERT_EQ(metrics["evaluations"].size(), 4u);
  EXPECT_EQ(metrics["log"][1]["step"], 6);
  EXPECT_EQ(metrics["warned_at"], 3);
  double squares = 0;
  for (const char* kind : {"embedding", "hawk", "attention", "feed_forward", "head", "norms"}) {
    const std::string prefix = str("health/", kind, "/");
    squares += std::pow(metrics["log"][0][prefix + "gradient_norm"].get<double>(), 2);
    EXPECT_EQ(metrics["log"][0][prefix + "starved"].get<double>(), 1) << kind;
    EXPECT_GT(metrics["log"][0][prefix + "update_ratio"].get<double>(), 0) << kind;
  }
  const double norm = metrics["log"][0]["train/grad_norm"].get<double>();
  EXPECT_NEAR(std::sqrt(squares), norm, 1e-4 * norm);
}

// A figure that rises and falls with the evaluations.
class Wave : public Yardstick {
 public:
  explicit Wave(std::vector<double> values) : values_(std::move(values)) {}
  Figures measure() override { return {{"eval/wave", values_.at(next_++), "wave"}}; }

 private:
  std::vector<double> values_;
  size_t next_ = 0;
};

TEST_F(Health, ASelectedFigurePicksTheBestCheckpointAlsoAfterAResume) {
  const TrainOptions options = small_run(folder_ / "whole");
  const BatchFolder train_batches = data_->train(), valid_batches = data_->valid();
  Motor whole = fresh_model();
  MotorTraining training(whole, &train_batches, &valid_batches);
  Wave wave({0.5, 0.9, 0.6, 0.8});
  const TrainReport report = train(training, options, "key", {{&wave}, "eval/wave"});
  EXPECT_EQ(report.best_step, 4);
  EXPECT_EQ(report.figures.back().value, 0.8);

  TrainOptions resumed = options;
  resumed.folder = folder_ / "resumed";
  fs::create_directories(resumed.folder);
  fs::copy(checkpoint_path(options.folder, 4), checkpoint_path(resumed.folder, 4));
  fs::copy(options.folder + "/metrics.json", resumed.folder + "/metrics.json");
  Motor model = fresh_model(5);
  MotorTraining again(model, &train_batches, &valid_batches);
  Wave rest({0.6, 0.8});
  EXPECT_EQ(train(again, resumed, "key", {{&rest}, "eval/wave"}).best_step, 4);
  expect_same_weights(model, whole);
  EXPECT_EQ(metrics_of(options.folder)["evaluations"], metrics_of(resumed.folder)["evaluations"]);
  for (const char* name : {"optimizer.safetensors", "trainer_state.json"}) {
    EXPECT_EQ(read_file(checkpoint_path(options.folder, 8) + "/" + name),
              read_file(checkpoint_path(resumed.folder, 8) + "/" + name));
  }
}

TEST_F(Health, ADamagedMetricsFileIsRefused) {
  TrainOptions options = small_run(folder_ / "run");
  options.max_steps = 2;
  Motor model = fresh_model();
  run(model, options);
  for (const char* text : {"{ not json", "{}", "{\"log\": 3, \"evaluations\": []}",
                           "{\"log\": [{}], \"evaluations\": []}"}) {
    write_file(options.folder + "/metrics.json", text);
    EXPECT_THROW(run(model, options), FileError) << text;
  }
}

}  // namespace
}  // namespace sequela
