// The course of a run: early stopping, which checkpoints stay, what a diverging run leaves.
#include "sequela/train/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

using Trainer = TrainTest;

TEST(EpochOrder, IsAPermutationOfTheSeedAndEpoch) {
  const std::vector<int64_t> order = epoch_order(100, 1, 0);
  std::vector<int64_t> sorted = order;
  std::ranges::sort(sorted);
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(sorted[i], i);
  EXPECT_EQ(order, epoch_order(100, 1, 0));
  EXPECT_NE(order, epoch_order(100, 1, 1));
  EXPECT_NE(order, epoch_order(100, 2, 0));
  EXPECT_TRUE(epoch_order(0, 1, 0).empty());
}

TEST_F(Trainer, LowersTheLoss) {
  TrainOptions options = small_run(folder_ / "run");
  options.max_steps = 20;
  options.eval_every = 5;
  options.warmup_steps = 5;
  options.learning_rate = 1e-2;
  options.accumulate = 10;
  Motor model = fresh_model();
  // Of the subjects that it learns from; the few others tell too little.
  const double before = evaluate(model, data_->train());
  const TrainReport report = train(model, data_->train(), data_->train(), options, "key");
  EXPECT_EQ(report.steps, 20);
  EXPECT_EQ(report.eval_losses.size(), 4u);
  EXPECT_GT(report.num_tokens, 20 * 3 * 100);
  EXPECT_LT(report.best_loss, before - 0.01);
  EXPECT_EQ(evaluate(model, data_->train()), report.best_loss);
}

TEST_F(Trainer, EvaluationIsTheMeanOverTheBatches) {
  Motor model = fresh_model();
  const BatchFolder batches = data_->valid();
  double sum = 0;
  for (int64_t i = 0; i < batches.num_batches(); ++i) {
    sum += model.loss(batches.read(i), std::nullopt).item<double>();
  }
  EXPECT_NEAR(evaluate(model, batches), sum / static_cast<double>(batches.num_batches()), 1e-12);
}

// A learning rate too small to change a weight: no evaluation is better than the first.
TEST_F(Trainer, StopsWhenTheLossNoLongerFalls) {
  TrainOptions options = small_run(folder_ / "run");
  options.learning_rate = 1e-30;
  options.eval_every = 1;
  options.patience = 3;
  options.keep_checkpoints = 2;
  Motor model = fresh_model();
  const TrainReport report = run(model, options);
  EXPECT_TRUE(report.is_finished);
  EXPECT_EQ(report.steps, 4);
  EXPECT_EQ(report.best_step, 1);
  EXPECT_EQ(list_checkpoints(options.folder), (std::vector<int64_t>{1, 3, 4}));
}

TEST_F(Trainer, TheStartIsTheBestWhereNothingIsBetter) {
  TrainOptions options = small_run(folder_ / "run");
  options.learning_rate = 1e-30;
  options.eval_every = 2;
  options.patience = 2;
  options.keep_checkpoints = 1;
  options.evaluates_start = true;
  Motor model = fresh_model();
  const TrainReport report = run(model, options);
  EXPECT_EQ(report.steps, 4);
  EXPECT_EQ(report.best_step, 0);
  EXPECT_EQ(report.eval_losses.size(), 3u);
  EXPECT_EQ(list_checkpoints(options.folder), (std::vector<int64_t>{0, 4}));
  // A run that goes on has had that evaluation.
  std::filesystem::remove_all(checkpoint_path(options.folder, 4));
  const TrainReport resumed = run(model, options);
  EXPECT_EQ(resumed.best_step, 0);
  EXPECT_EQ(resumed.eval_losses.size(), 2u);
}

// A weight that walks down a constant slope, past the place where validation is best: its loss
// falls and then rises, on every CPU alike.
class WalkingWeight : public Trainable {
 public:
  static constexpr double kBest = -0.27;

  WalkingWeight() : weights_(Parameters::allocate({{"weight", {1}}}, at::kCPU)) {}

  Parameters& parameters() override { return weights_; }
  int64_t num_batches(TrainPart part) const override { return part == TrainPart::train ? 9 : 1; }
  std::string config_json() const override { return "{}"; }
  std::unique_ptr<BatchPass> start_pass(PassPlan plan) override {
    return std::make_unique<Pass>(weights_.items[0], plan);
  }
  double weight() const { return weights_.items[0].value.item<double>(); }

 private:
  class Pass : public BatchPass {
   public:
    Pass(Parameter& weight, const PassPlan& plan)
        : weight_(weight), part_(plan.part), left_(plan.batches.size()) {}

    std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
      if (left_-- == 0) return std::nullopt;
      if (gradient_scale) weight_.gradient.add_(*gradient_scale);
      if (part_ == TrainPart::train) return BatchLoss{weight_.value[0].clone(), 1};
      return BatchLoss{(weight_.value[0] - kBest).square(), 1};
    }

   private:
    Parameter& weight_;
    const TrainPart part_;
    size_t left_;
  };

  Parameters weights_;
};

TEST(TrainerCheckpoints, KeepsTheNewestAndEndsWithTheBestWeights) {
  const TestFolder folder;
  TrainOptions options;
  options.folder = folder / "run";
  options.learning_rate = 0.1;  // Adam's step on a constant slope: 0.1, 0.0875, 0.075, ...
  options.warmup_steps = 0;
  options.max_steps = 8;
  options.accumulate = 3;
  options.eval_every = 1;
  options.patience = 0;
  options.keep_checkpoints = 2;
  WalkingWeight model;
  const TrainReport report = train(model, options, "key");
  ASSERT_EQ(report.eval_losses.size(), 8u);
  const auto best = std::ranges::min_element(
      report.eval_losses, [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_EQ(best->first, 3);
  EXPECT_EQ(report.best_step, 3);
  EXPECT_EQ(report.best_loss, best->second);
  EXPECT_EQ(list_checkpoints(options.folder), (std::vector<int64_t>{3, 7, 8}));
  EXPECT_NEAR(model.weight(), -0.1 - 0.0875 - 0.075, 1e-6);
  WalkingWeight best_model;
  read_checkpoint_weights(checkpoint_path(options.folder, 3), best_model);
  EXPECT_EQ(model.weight(), best_model.weight());
  EXPECT_EQ(evaluate(model), report.best_loss);
}

TEST_F(Trainer, EvaluatesTheLastSteps) {
  TrainOptions options = small_run(folder_ / "run");
  options.eval_every = 5;
  Motor model = fresh_model();
  const TrainReport report = run(model, options);
  ASSERT_EQ(report.eval_losses.size(), 2u);
  EXPECT_EQ(report.eval_losses.back().first, 8);
}

// The weights explode in the first step, so that the next loss is not finite.
TEST_F(Trainer, StopsAtALossThatIsNotFinite) {
  TrainOptions options = small_run(folder_ / "run");
  options.max_steps = 4;
  options.eval_every = 1;
  Motor model = fresh_model();
  run(model, options);
  const auto before = list_checkpoints(options.folder);
  const std::string good = read_file(checkpoint_path(options.folder, 4) + "/model.safetensors");

  TrainOptions wild = options;  // goes on from step 4
  wild.max_steps = 8;
  wild.learning_rate = 1e30;
  wild.eval_every = 100;
  Motor again = fresh_model();
  fs::remove_all(checkpoint_path(options.folder, 4));  // it says that the run is finished
  const int64_t first_bad_group = 4;
  const std::vector<int64_t> order = epoch_order(data_->train().num_batches(), options.seed, 0);
  try {
    run(again, wild);
    FAIL() << "went on";
  } catch (const DataError& error) {
    const std::string text = error.what();
    // All batches of the step are bad; lanes decide which comes first.
    const auto first = order.begin() + first_bad_group * options.accumulate;
    EXPECT_TRUE(std::any_of(first, first + options.accumulate, [&](int64_t batch) {
      return text.find(str("training batch ", batch, ")")) != std::string::npos;
    })) << text;
    EXPECT_NE(text.find("Fix: "), std::string::npos) << text;
  }
  EXPECT_TRUE(fs::exists(options.folder + "/non_finite.safetensors"));
  EXPECT_EQ(list_checkpoints(options.folder), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(before.size(), 4u);

  Motor resumed = fresh_model();  // with the old options, from step 3
  run(resumed, options);
  EXPECT_EQ(read_file(checkpoint_path(options.folder, 4) + "/model.safetensors"), good);
}

TEST_F(Trainer, AValidationLossThatIsNotFiniteIsNoBestOne) {
  TrainOptions options = small_run(folder_ / "run");
  options.learning_rate = 1e30;
  options.warmup_steps = 0;
  options.eval_every = 1;
  Motor model = fresh_model();
  EXPECT_THROW(run(model, options), DataError);
  EXPECT_TRUE(list_checkpoints(options.folder).empty());
}

TEST_F(Trainer, RunsWithoutValidationBatches) {
  TrainOptions options = small_run(folder_ / "run");
  options.max_steps = 3;
  options.eval_every = 1;
  options.keep_checkpoints = 1;
  options.patience = 1;
  Motor model = fresh_model();
  const BatchFolder none = data_->empty();
  ASSERT_EQ(none.num_batches(), 0);
  const TrainReport report = train(model, data_->train(), none, options, "key");
  EXPECT_EQ(report.steps, 3);
  EXPECT_EQ(report.best_step, 3);  // the newest weights count as the best
  EXPECT_EQ(list_checkpoints(options.folder), (std::vector<int64_t>{3}));
  EXPECT_THROW(train(model, none, none, options, "key"), DataError);
}

TEST_F(Trainer, RefusesWrongOptions) {
  const auto expect_refused = [&](auto change) {
    TrainOptions options = small_run(folder_ / "refused");
    change(options);
    Motor model = fresh_model();
    EXPECT_THROW(run(model, options), ConfigError);
    EXPECT_FALSE(fs::exists(options.folder));
  };
  expect_refused([](TrainOptions& o) { o.learning_rate = 0; });
  expect_refused([](TrainOptions& o) { o.learning_rate = std::nan(""); });
  expect_refused([](TrainOptions& o) { o.beta2 = 1; });
  expect_refused([](TrainOptions& o) { o.accumulate = 0; });
  expect_refused([](TrainOptions& o) { o.eval_every = 0; });
  expect_refused([](TrainOptions& o) { o.keep_checkpoints = 0; });
  expect_refused([](TrainOptions& o) { o.epochs = 0; });
}

}  // namespace
}  // namespace sequela
