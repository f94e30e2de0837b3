// What a run does when the device's memory does not suffice: the same with less.
#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/kernel_table.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

// Kernels in whose gated product memory runs out: forward or backward, above some rows, some times.
struct Shortage {
  int64_t most_rows = 0;
  int left = 0;  // times that it still happens
  bool is_in_backward = false;
  const Motor* until_recomputed = nullptr;  // activations of this model
};
Shortage shortage;

void take(const at::Tensor& rows) {
  if (shortage.left == 0 || rows.size(0) <= shortage.most_rows) return;
  const Motor* model = shortage.until_recomputed;
  if (model != nullptr && model->activations() == Activations::recomputed) return;
  --shortage.left;
  throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "CUDA out of memory. Made up.");
}

const KernelTable& short_kernels() {
  static const KernelTable table = [] {
    KernelTable own = cpu_kernels();
    own.swiglu_forward = [](const at::Tensor& ff, const at::Tensor& out) {
      if (!shortage.is_in_backward) take(out);
      cpu_kernels().swiglu_forward(ff, out);
    };
    own.swiglu_backward = [](const at::Tensor& ff, const at::Tensor& grad_out,
                             const at::Tensor& grad_ff) {
      if (shortage.is_in_backward) take(ff);
      cpu_kernels().swiglu_backward(ff, grad_out, grad_ff);
    };
    return own;
  }();
  return table;
}

class MemoryTest : public TrainTest {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel level, const std::string& message) {
      const bool is_of_memory = message.find("memory") != std::string::npos;
      if (level == LogLevel::warning && is_of_memory) warnings_.push_back(message);
    });
  }
  void TearDown() override {
    set_log_sink(nullptr);
    shortage = {};
  }

  static Motor short_model() {
    ModelConfig config = read_model_config(reference_path("motor/model_main/config.json"));
    config.encoder.n_layers = 2;
    return Motor(config, 7, at::kCPU, Precision::fp32, Ways(Kernels::automatic, short_kernels()));
  }

  // A run in which memory is short has the weights of one in which it is not, but for the order of
  // sums.
  void expect_same_run(LossScale loss_scale) {
    TrainOptions options = small_run(folder_ / "short");
    options.loss_scale = loss_scale;
    Motor model = short_model();
    const TrainReport report = run(model, options);
    EXPECT_EQ(shortage.left, 0);
    expect_as_in_whole(model, report, options);
  }

  // The same run with batches as they are.
  void expect_as_in_whole(Motor& model, const TrainReport& report, TrainOptions options) {
    shortage = {};
    options.folder = folder_ / "whole";
    Motor expected = fresh_model();
    const TrainReport whole = run(expected, options);
    EXPECT_EQ(report.num_tokens, whole.num_tokens);
    EXPECT_EQ(report.steps, whole.steps);
    EXPECT_NEAR(report.best_loss, whole.best_loss, 1e-4 * whole.best_loss);
    for (const Parameter& parameter : expected.parameters().items) {
      const at::Tensor& value = model.parameters().get(parameter.name).value;
      const at::Tensor is_far = (value - parameter.value).abs() > 1e-4;
      EXPECT_LE(is_far.sum().item<int64_t>(), value.numel() / 100) << parameter.name;
    }
  }

  std::vector<std::string> warnings_;
};

TEST_F(MemoryTest, BatchesAreHalvedWithTheSameResult) {
  shortage = {.most_rows = 100, .left = 1, .is_in_backward = false};
  expect_same_run(LossScale::mean);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0],
            "the device's memory does not suffice (CUDA out of memory. Made up.): from now on each "
            "batch is computed in 2 parts, with the same result");
}

TEST_F(MemoryTest, ASteppedOnGradientBeginsAnew) {
  shortage = {.most_rows = 100, .left = 1, .is_in_backward = true};
  expect_same_run(LossScale::mean);
}

TEST_F(MemoryTest, SummedCostsAreHalvedToo) {
  shortage = {.most_rows = 100, .left = 1, .is_in_backward = true};
  expect_same_run(LossScale::events);
}

// Told so before, no operation sees more rows than there is memory for.
TEST_F(MemoryTest, PartsFromTheStartHaveTheSameResult) {
  shortage = {.most_rows = padded_rows(128), .left = 1, .is_in_backward = false};
  Motor model = short_model();
  const BatchFolder train_batches = data_->train(), valid_batches = data_->valid();
  MotorTraining training(model, &train_batches, &valid_batches);
  training.set_tokens_per_pass(40);
  const TrainOptions options = small_run(folder_ / "parts");
  const TrainReport report = sequela::train(training, options, "key");
  EXPECT_EQ(shortage.left, 1);
  EXPECT_TRUE(warnings_.empty());
  expect_as_in_whole(model, report, options);
}

// No fewer than one sequence at a time: then activations go, and then there is nothing more to do.
TEST_F(MemoryTest, ActivationsGoWhereThereIsNothingToHalve) {
  Motor model = short_model();
  shortage = {.most_rows = 0, .left = 1'000, .is_in_backward = true, .until_recomputed = &model};
  run(model, small_run(folder_ / "run"));
  EXPECT_EQ(model.activations(), Activations::recomputed);
  ASSERT_FALSE(warnings_.empty());
  EXPECT_NE(warnings_.back().find("--gradient-checkpointing"), std::string::npos);
}

class Onlooker : public ValidationYardstick {
 public:
  void start() override {}
  void add(const MotorBatch&, const at::Tensor&, const at::Tensor&) override {}
  Figures finish() override { return {}; }
};

TEST_F(MemoryTest, AValidationThatIsWatchedIsHalvedAsOftenAsAnother) {
  Onlooker onlooker;
  using Yardsticks = std::vector<ValidationYardstick*>;
  std::vector<std::vector<std::string>> said;
  for (const Yardsticks& yardsticks : {Yardsticks{}, Yardsticks{&onlooker}}) {
    TrainOptions options = small_run(folder_ / str("run_", said.size()));
    options.evaluates_start = true;
    options.max_steps = 1;
    shortage = {.most_rows = 0, .left = 2};
    Motor model = short_model();
    const BatchFolder batches = data_->train(), valid = data_->valid();
    MotorTraining training(model, &batches, &valid, yardsticks);
    train(training, options, "key");
    said.push_back(std::exchange(warnings_, {}));
  }
  EXPECT_EQ(said[0].size(), 2u);
  EXPECT_EQ(said[1], said[0]);
}

TEST_F(MemoryTest, EndsWithTheErrorWhereNothingHelps) {
  shortage = {.most_rows = 0, .left = 1'000, .is_in_backward = false};
  Motor model = short_model();
  EXPECT_THROW(run(model, small_run(folder_ / "run")), c10::OutOfMemoryError);
}

}  // namespace
}  // namespace sequela
