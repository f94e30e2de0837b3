// A step under LossScale::events against one put together by hand; and its exact resume.
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/optimizer.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

class LossScaleTest : public TrainTest {
 protected:
  static TrainOptions events_run(const std::string& folder) {
    TrainOptions options = small_run(folder);
    options.loss_scale = LossScale::events;
    return options;
  }
};

TEST_F(LossScaleTest, AStepFollowsTheSummedCostOfItsBatchesByTheirEvents) {
  TrainOptions options = events_run(folder_ / "run");
  options.max_steps = 1;
  options.warmup_steps = 0;
  options.max_gradient_norm = 1e-2;  // so that clipping acts, on the divided gradient
  Motor model = fresh_model();
  run(model, options);

  Motor expected = fresh_model();
  const std::vector<int64_t> order = epoch_order(data_->train().num_batches(), options.seed, 0);
  const BatchFolder folder = data_->train();
  std::vector<MotorBatch> batches;
  int64_t num_events = 0;
  for (int i = 0; i < options.accumulate; ++i) {
    batches.push_back(folder.read(order[i]));
    num_events += batches.back().targets.event_seconds_Z.size(0);
  }
  ASSERT_GT(num_events, 0);
  const MotorHeadConfig& head = *expected.config().motor;
  expected.parameters().zero_gradients();
  for (const MotorBatch& batch : batches) {
    const int64_t cells = batch.inputs.label_indices_L.size(0) * head.num_bins() * head.num_tasks();
    expected.loss(batch, static_cast<double>(cells) / static_cast<double>(num_events));
  }
  Optimizer optimizer(expected.parameters(), options);
  EXPECT_GT(optimizer.gradient_norm().item<double>(), options.max_gradient_norm);
  optimizer.step(options.learning_rate, optimizer.gradient_norm());
  for (const Parameter& parameter : expected.parameters().items) {
    const at::Tensor& value = model.parameters().get(parameter.name).value;
    // A step's size is the learning rate, whatever the gradient's: entries whose gradient is next
    // to nothing may differ.
    const at::Tensor is_far = (value - parameter.value).abs() > 1e-5;
    EXPECT_LE(is_far.sum().item<int64_t>(), value.numel() / 1000) << parameter.name;
  }
}

TEST_F(LossScaleTest, TheReportedLossIsTheMeanStill) {
  TrainOptions options = small_run(folder_ / "mean");
  options.max_steps = 1;
  options.learning_rate = 1e-12;
  options.eval_every = 1;
  Motor a = fresh_model(), b = fresh_model();
  const TrainReport mean = run(a, options);
  options.folder = folder_ / "events";
  options.loss_scale = LossScale::events;
  const TrainReport events = run(b, options);
  EXPECT_NEAR(events.best_loss, mean.best_loss, 1e-6 * mean.best_loss);
}

// A model whose batches count no events.
class NoEvents : public MotorTraining {
 public:
  using MotorTraining::MotorTraining;
  bool has_events() const override { return false; }
};

TEST_F(LossScaleTest, IsRefusedWhereThereAreNoEvents) {
  Motor model = fresh_model();
  const BatchFolder train_batches = data_->train(), valid_batches = data_->valid();
  NoEvents training(model, &train_batches, &valid_batches);
  EXPECT_THROW(train(training, events_run(folder_ / "run"), "key"), ConfigError);
}

}  // namespace
}  // namespace sequela
