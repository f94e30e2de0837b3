// A run that was stopped, at any batch, and went on ends as one that was not.
#include <gtest/gtest.h>

#include <csignal>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

using Resume = TrainTest;

// Copies the checkpoints up to a step, as if the run had been killed then.
void copy_checkpoints(const std::string& from, int64_t last_step, const std::string& to) {
  fs::create_directories(to);
  for (const int64_t step : list_checkpoints(from)) {
    if (step > last_step) continue;
    fs::copy(checkpoint_path(from, step), checkpoint_path(to, step));
  }
}

// The newest checkpoints of two runs hold the same weights, moments and state.
void expect_same_end(const std::string& a, const std::string& b) {
  ASSERT_FALSE(list_checkpoints(a).empty());
  ASSERT_EQ(list_checkpoints(a).back(), list_checkpoints(b).back());
  const int64_t step = list_checkpoints(a).back();
  for (const char* name : {"model.safetensors", "optimizer.safetensors", "trainer_state.json"}) {
    EXPECT_EQ(read_file(checkpoint_path(a, step) + "/" + name),
              read_file(checkpoint_path(b, step) + "/" + name))
        << name;
  }
}

TEST_F(Resume, FromEachCheckpointEqualsTheUninterruptedRun) {
  Motor whole = fresh_model();
  const TrainOptions options = small_run(folder_ / "whole");
  const TrainReport report = run(whole, options);
  ASSERT_TRUE(report.is_finished);
  ASSERT_EQ(list_checkpoints(options.folder), (std::vector<int64_t>{2, 4, 6, 8}));
  for (const int64_t step : {2, 4, 6, 8}) {
    TrainOptions resumed = options;
    resumed.folder = folder_ / str("from_", step);
    copy_checkpoints(options.folder, step, resumed.folder);
    Motor model = fresh_model(1'000 + step);  // nothing of its own weights may stay
    const TrainReport again = run(model, resumed);
    EXPECT_TRUE(again.is_resumed);
    EXPECT_TRUE(again.is_finished);
    EXPECT_EQ(again.steps, 8);
    EXPECT_EQ(again.best_step, report.best_step);
    EXPECT_EQ(again.best_loss, report.best_loss);
    EXPECT_EQ(again.num_tokens, report.num_tokens);
    EXPECT_EQ(again.eval_losses.size(), (8u - step) / 2);
    expect_same_weights(model, whole);
    expect_same_end(options.folder, resumed.folder);
  }
}

TEST_F(Resume, EpochsOfUnevenGroupsGoOnWhereTheyStood) {
  TrainOptions options = small_run(folder_ / "whole");
  options.max_steps = 0;
  options.epochs = 2;
  options.accumulate = data_->train().num_batches() / 2 - 1;  // the last group is a small one
  options.eval_every = 1;
  Motor whole = fresh_model();
  ASSERT_EQ(run(whole, options).steps, 6);
  for (const int64_t step : {2, 3, 4}) {
    TrainOptions resumed = options;
    resumed.folder = folder_ / str("from_", step);
    copy_checkpoints(options.folder, step, resumed.folder);
    Motor model = fresh_model(9);
    run(model, resumed);
    expect_same_weights(model, whole);
    expect_same_end(options.folder, resumed.folder);
  }
}

// The stopping signal stays set in a process, so each stopped run has a process of its own.
class StoppedRun : public TrainTest {
 protected:
  void SetUp() override {
    TrainTest::SetUp();
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }

  // Four steps of three batches.
  static TrainOptions short_run(const std::string& folder, int64_t eval_every,
                                LossScale loss_scale = LossScale::mean) {
    TrainOptions options = small_run(folder);
    options.loss_scale = loss_scale;
    options.max_steps = 4;
    options.eval_every = eval_every;
    return options;
  }

  // Trains until SIGTERM comes in the model's n-th pass through a batch, and ends the process: with
  // 0 if the run says that it was stopped.
  [[noreturn]] void train_until_signal(int num_passes, const TrainOptions& options) {
    install_signal_handlers();
    fs::remove_all(options.folder);
    Motor model = fresh_model();
    model.set_observer([&num_passes](const std::string& stage, const at::Tensor&) {
      if (stage == "embed_bag_out" && --num_passes == 0) std::raise(SIGTERM);
    });
    std::_Exit(run(model, options).is_finished ? 1 : 0);
  }

  // What the checkpoint of a stopped run says.
  struct Stand {
    int64_t step = 0;
    int64_t micro_batch = 0;
    bool is_evaluated = true;
  };

  // Stops a run in its n-th pass and checks the checkpoint that it leaves, then lets it go on.
  void expect_same_after_stop(int num_passes, const Stand& expected, int64_t eval_every = 2,
                              LossScale loss_scale = LossScale::mean) {
    // Known to both processes: the one that is stopped and the one that checks.
    const std::string folder = fs::path(testing::TempDir()) / str("stopped_", num_passes);
    const TrainOptions options = short_run(folder, eval_every, loss_scale);
    EXPECT_EXIT(train_until_signal(num_passes, options), testing::ExitedWithCode(0), "");
    ASSERT_FALSE(list_checkpoints(folder).empty());
    const std::string checkpoint = checkpoint_path(folder, list_checkpoints(folder).back());
    EXPECT_EQ(state_value<int64_t>(checkpoint, "step"), expected.step);
    EXPECT_EQ(state_value<int64_t>(checkpoint, "micro_batch"), expected.micro_batch);
    EXPECT_EQ(state_value<bool>(checkpoint, "is_evaluated"), expected.is_evaluated);
    EXPECT_EQ(fs::exists(checkpoint + "/gradients.safetensors"), expected.micro_batch > 0);

    Motor resumed = fresh_model(99);
    ASSERT_TRUE(run(resumed, options).is_finished);
    Motor whole = fresh_model();
    run(whole, short_run(folder_ / "whole", eval_every, loss_scale));
    expect_same_weights(resumed, whole);
    expect_same_end(folder, folder_ / "whole");
    fs::remove_all(folder);
  }

  // Passes of one evaluation.
  static int num_valid() { return static_cast<int>(data_->valid().num_batches()); }
};

TEST_F(StoppedRun, InTheFirstBatch) {
  expect_same_after_stop(1, {0, 1});
}

TEST_F(StoppedRun, AtTheEndOfAnAccumulation) {
  expect_same_after_stop(3, {1, 0});
}

TEST_F(StoppedRun, InTheMidstOfAnAccumulation) {
  expect_same_after_stop(5, {1, 2});
}

TEST_F(StoppedRun, InTheMidstOfASumOverEvents) {
  expect_same_after_stop(5, {1, 2}, 2, LossScale::events);
}

TEST_F(StoppedRun, BeforeAnEvaluation) {
  expect_same_after_stop(6, {2, 0, false});
}

TEST_F(StoppedRun, InAnEvaluation) {
  expect_same_after_stop(7, {2, 0, false});
}

TEST_F(StoppedRun, AfterAnEvaluation) {
  expect_same_after_stop(7 + num_valid(), {2, 1});
}

TEST_F(StoppedRun, InTheLastBatch) {
  expect_same_after_stop(12 + num_valid(), {4, 0, false});
}

TEST_F(StoppedRun, InTheLastEvaluation) {
  expect_same_after_stop(13 + num_valid(), {4, 0, false});
}

TEST_F(StoppedRun, InTheLastBatchWhenNoEvaluationIsDue) {
  expect_same_after_stop(12 + num_valid(), {4, 0, false}, 3);
}

TEST_F(Resume, RefusesAnotherRunsCheckpoints) {
  TrainOptions options = small_run(folder_ / "run");
  options.max_steps = 2;
  Motor model = fresh_model();
  run(model, options);
  EXPECT_THROW(run(model, options, "another key"), ConfigError);
}

TEST_F(Resume, AFinishedRunIsNotRunAgain) {
  const TrainOptions options = small_run(folder_ / "run");
  Motor model = fresh_model();
  const TrainReport first = run(model, options);
  Motor again = fresh_model(3);
  const TrainReport second = run(again, options);
  EXPECT_TRUE(second.is_finished);
  EXPECT_TRUE(second.eval_losses.empty());
  EXPECT_EQ(second.best_loss, first.best_loss);
  expect_same_weights(model, again);
}

// Each kind of damage to the newest checkpoint is an error that names the file.
TEST_F(Resume, RefusesDamagedCheckpoints) {
  TrainOptions options = small_run(folder_ / "run");
  options.max_steps = 2;
  Motor model = fresh_model();
  run(model, options);
  const std::string checkpoint = checkpoint_path(options.folder, 2);
  const auto expect_refused = [&](const std::string& name, const std::string& content) {
    const std::string path = checkpoint + "/" + name;
    const std::string whole = read_file(path);
    write_file(path, content);
    Motor fresh = fresh_model();
    try {
      run(fresh, options);
      ADD_FAILURE() << name << " was taken";
    } catch (const FileError& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
    write_file(path, whole);
  };
  for (const char* name : {"model.safetensors", "optimizer.safetensors"}) {
    const std::string whole = read_file(checkpoint + "/" + name);
    expect_refused(name, "");
    expect_refused(name, whole.substr(0, whole.size() / 2));
    expect_refused(name, "x" + whole);
  }
  expect_refused("model.safetensors", read_file(checkpoint + "/optimizer.safetensors"));
  expect_refused("optimizer.safetensors", read_file(checkpoint + "/model.safetensors"));
  const std::string state_path = checkpoint + "/trainer_state.json";
  const Json state = parse_json(read_file(state_path), state_path);
  for (const char* text : {"", "[]", "3", "{\"run_key\": 3}", "{\"run_key\": \"key\"}"}) {
    expect_refused("trainer_state.json", text);
  }
  for (const char* name : {"step", "epoch", "position", "micro_batch", "num_tokens"}) {
    for (const int64_t value : {int64_t{-1}, int64_t{1} << 60}) {
      Json changed = state;
      changed[name] = value;
      if (name == std::string("num_tokens") && value > 0) continue;
      expect_refused("trainer_state.json", json_text(changed));
    }
  }
  fs::remove(checkpoint + "/optimizer.safetensors");
  EXPECT_THROW(run(model, options), FileError);
}

}  // namespace
}  // namespace sequela
