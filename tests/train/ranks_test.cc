// Several ranks train to the bytes of one.
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/train/gradient_sums.h"
#include "sequela/train/sharding.h"
#include "sequela/train/step_exchange.h"
#include "sequela/train/step_lanes.h"
#include "sequela/train/step_share.h"
#include "tests/support/thread_world.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

int64_t one_token(int64_t) {
  return 1;
}

TEST(StepLanes, HoldEachBatchOnceInOrder) {
  for (const int64_t num_batches : {1, 2, 5, 8, 32, 33}) {
    for (const int64_t num_lanes : {1, 2, 3, 4, 8}) {
      if (num_lanes > num_batches) continue;
      std::vector<int64_t> batches(num_batches), seen;
      std::iota(batches.begin(), batches.end(), 100);
      for (const auto& lane : deal_lanes(batches, num_lanes, one_token)) {
        EXPECT_FALSE(lane.empty());
        EXPECT_TRUE(std::ranges::is_sorted(lane));
        seen.insert(seen.end(), lane.begin(), lane.end());
      }
      std::ranges::sort(seen);
      EXPECT_EQ(seen, batches);
    }
  }
}

TEST(StepLanes, AreEvenInTokensAlsoInHalves) {
  const std::vector<int64_t> batches = {0, 1, 2, 3, 4, 5, 6, 7};
  const std::vector<int64_t> tokens = {80, 70, 60, 50, 40, 30, 20, 10};
  const auto lanes = deal_lanes(batches, 4, [&](int64_t i) { return tokens[i]; });
  std::vector<int64_t> sums;
  for (const auto& lane : lanes) {
    sums.push_back(0);
    for (const int64_t batch : lane) sums.back() += tokens[batch];
  }
  EXPECT_EQ(sums[0] + sums[1], 180);
  for (const int64_t sum : sums) EXPECT_EQ(sum, 90);
}

TEST(StepLanes, AreAsManyAsAskedForOrAsThereAreRanks) {
  EXPECT_EQ(num_lanes_of(32, 4, 1), 4);
  EXPECT_EQ(num_lanes_of(32, 4, 4), 4);
  EXPECT_EQ(num_lanes_of(32, 4, 5), 8);
  EXPECT_EQ(num_lanes_of(3, 4, 2), 3);
}

Parameters some_parameters(int64_t width) {
  Parameters parameters = Parameters::allocate(
      {{"table", {300, width}, true}, {"matrix", {width, width}, true}, {"bias", {width}}},
      at::kCPU);
  parameters.zero_gradients();
  return parameters;
}

TEST(Sharding, GivesEveryValueOneOwnerAndEvenShares) {
  const Parameters parameters = some_parameters(640);
  for (const int num_ranks : {1, 2, 3, 4}) {
    const Sharding sharding(parameters, {false, true, false}, num_ranks);
    std::vector<int64_t> ends(3);
    for (size_t i = 0; i < 3; ++i) {
      std::vector<Piece> pieces = sharding.pieces_of_parameter(i);
      std::ranges::sort(pieces, {}, &Piece::start);
      for (const Piece& piece : pieces) {
        EXPECT_EQ(piece.start, ends[i]);
        EXPECT_EQ(piece.start % Sharding::kChunk, 0);
        ends[i] += piece.length;
      }
      EXPECT_EQ(ends[i], parameters.items[i].value.numel());
    }
    EXPECT_EQ(sharding.pieces_of_parameter(1).size(), 1u);
    if (num_ranks == 1) continue;
    for (int rank = 0; rank < num_ranks; ++rank) {
      const int64_t even = parameters.num_values() / num_ranks;
      EXPECT_LE(sharding.num_values_of(rank),
                std::max<int64_t>(640 * 640, even + Sharding::kChunk));
    }
  }
}

// The sums of random gradients of each lane, at the owners, put together.
at::Tensor sums_of_ranks(int num_ranks, int64_t num_lanes, bool is_flat) {
  at::Tensor whole;
  run_ranks(num_ranks, [&](World& world) {
    Parameters parameters = some_parameters(160);
    if (!is_flat) {
      parameters.flat_values = parameters.flat_gradients = at::Tensor();
      for (Parameter& item : parameters.items) item.gradient = at::zeros_like(item.value);
    }
    const Sharding sharding(parameters, {false, true, false}, num_ranks, 20'000);
    GradientSums sums(parameters, sharding, world);
    const Share own = share_of(num_lanes, world.rank(), num_ranks);
    for (int64_t lane = own.first; lane < own.end; ++lane) {
      sums.start_lane(lane);
      for (size_t i = 0; i < 3; ++i) {
        at::Generator generator = at::detail::createCPUGenerator(10 * lane + i);
        parameters.items[i].gradient.add_(at::randn(parameters.items[i].value.sizes(), generator));
      }
    }
    sums.reduce(num_lanes);
    for (const auto& bucket : sharding.buckets())
      share_pieces(world, "x", bucket, [&](size_t i) { return parameters.items[i].gradient; });
    if (!world.is_first()) return;
    std::vector<at::Tensor> flat;
    for (const Parameter& item : parameters.items) flat.push_back(item.gradient.reshape({-1}));
    whole = at::cat(flat);
  });
  return whole;
}

TEST(GradientSums, HaveTheSameBitsForAnyNumberOfRanks) {
  for (const int64_t num_lanes : {1, 2, 4, 5, 7, 8}) {
    const at::Tensor alone = sums_of_ranks(1, num_lanes, true);
    at::Tensor plain = at::zeros_like(alone, at::kDouble);
    EXPECT_GT(alone.abs().max().item<float>(), 0);
    for (const int num_ranks : {1, 2, 3, 4, 8}) {
      EXPECT_TRUE(at::equal(sums_of_ranks(num_ranks, num_lanes, num_ranks % 2 == 0), alone))
          << num_ranks << " ranks, " << num_lanes << " lanes";
    }
  }
}

TEST(StepExchange, NamesTheSlow) {
  EXPECT_EQ(slow_ranks({1.0, 1.2}, 1), "");
  EXPECT_EQ(slow_ranks({10, 42, 10, 12}, 10), "rank 1 takes 4.2 s a step, the median is 1 s");
}

class Ranks : public TrainTest {
 protected:
  // Trains on so many ranks; the weights in the end.
  Parameters train_on(int num_ranks, const TrainOptions& options) {
    Parameters weights;
    run_ranks(num_ranks, [&](World& world) {
      at::set_num_threads(1);
      Motor model = fresh_model();
      const BatchFolder train_batches = data_->train(), valid_batches = data_->valid();
      MotorTraining training(model, &train_batches, &valid_batches);
      const TrainReport report = train(training, options, "key", {}, world);
      EXPECT_TRUE(report.is_finished);
      const std::lock_guard lock(mutex_);
      for (const Parameter& item : model.parameters().items) {
        const Parameter* found = weights.find(item.name);
        if (found == nullptr) {
          weights.items.push_back({item.name, item.value.clone()});
        } else {
          EXPECT_TRUE(at::equal(found->value, item.value)) << "ranks differ in " << item.name;
        }
      }
    });
    return weights;
  }

  static void expect_same(const Parameters& a, const Parameters& b) {
    ASSERT_EQ(a.items.size(), b.items.size());
    for (const Parameter& item : a.items)
      EXPECT_TRUE(at::equal(item.value, b.get(item.name).value)) << item.name;
  }

  // metrics.json but for what a clock says.
  static Json figures(const std::string& folder) {
    Json metrics = parse_json(read_file(folder + "/metrics.json"), "metrics");
    for (Json& entry : metrics["log"]) {
      entry.erase("train/tokens_per_second");
      entry.erase("train/mfu");
      entry.erase("ranks/bytes_sent_per_step");
      entry.erase("ranks/share_of_time_waiting");
    }
    return metrics;
  }

  std::mutex mutex_;
};

TEST_F(Ranks, EndWithTheBytesOfOne) {
  TrainOptions options = small_run(folder_ / "one");
  options.accumulate = 5;
  const Parameters one = train_on(1, options);
  for (const int num_ranks : {2, 3, 4}) {
    options.folder = folder_ / str("of_", num_ranks);
    expect_same(train_on(num_ranks, options), one);
    EXPECT_EQ(figures(options.folder), figures(folder_ / "one"));
  }
}

TEST_F(Ranks, EndWithTheBytesOfOneWithMuonAndASumOverEvents) {
  TrainOptions options = small_run(folder_ / "one");
  options.accumulate = 4;
  options.optimizer = OptimizerKind::muon;
  options.loss_scale = LossScale::events;
  const Parameters one = train_on(1, options);
  options.folder = folder_ / "four";
  expect_same(train_on(4, options), one);
  EXPECT_EQ(figures(options.folder), figures(folder_ / "one"));
}

TEST_F(Ranks, GoOnFromCheckpointsOfOtherNumbersOfRanks) {
  TrainOptions options = small_run(folder_ / "whole");
  options.accumulate = 4;
  const Parameters whole = train_on(2, options);
  const std::string checkpoint = checkpoint_path(options.folder, 4);
  EXPECT_TRUE(fs::exists(checkpoint + "/model-00002-of-00002.safetensors"));
  EXPECT_TRUE(fs::exists(checkpoint + "/optimizer.safetensors.index.json"));
  for (const int num_ranks : {1, 2, 4}) {
    TrainOptions resumed = options;
    resumed.folder = folder_ / str("on_", num_ranks);
    fs::create_directories(resumed.folder);
    fs::copy(checkpoint, checkpoint_path(resumed.folder, 4));
    expect_same(train_on(num_ranks, resumed), whole);
  }
}

// A torn index, at each byte, is refused; nothing is trained from a part of the weights.
TEST_F(Ranks, RefuseATornIndex) {
  TrainOptions options = small_run(folder_ / "run");
  options.max_steps = 2;
  train_on(2, options);
  const std::string checkpoint = checkpoint_path(options.folder, 2);
  Motor model = fresh_model();
  MotorTraining training(model, nullptr, nullptr);
  const std::string path = checkpoint + "/model.safetensors.index.json";
  const std::string index = read_file(path);
  ASSERT_EQ(index.substr(index.size() - 2), "}\n");
  for (size_t length = 0; length + 1 < index.size(); ++length) {
    std::ofstream(path) << index.substr(0, length);
    EXPECT_THROW(read_checkpoint_weights(checkpoint, training), FileError) << length;
  }
  write_file(path, index);
  read_checkpoint_weights(checkpoint, training);
  fs::remove(checkpoint + "/model-00001-of-00002.safetensors");
  EXPECT_THROW(read_checkpoint_weights(checkpoint, training), FileError);
}

// Ranks on other CPUs may get other last digits; here another validation set stands for that.
TEST_F(Ranks, AgreeOnTheFirstOnesValidationLoss) {
  const TrainOptions options = small_run(folder_ / "run");
  std::vector<TrainReport> reports(2);
  run_ranks(2, [&](World& world) {
    at::set_num_threads(1);
    Motor model = fresh_model();
    const BatchFolder batches = data_->train();
    const BatchFolder valid = world.is_first() ? data_->valid() : data_->train();
    MotorTraining training(model, &batches, &valid);
    reports[world.rank()] = train(training, options, "key", {}, world);
  });
  EXPECT_FALSE(reports[0].eval_losses.empty());
  EXPECT_EQ(reports[1].eval_losses, reports[0].eval_losses);
  EXPECT_EQ(reports[1].best_step, reports[0].best_step);
}

TEST_F(Ranks, NeedABatchEach) {
  TrainOptions options = small_run(folder_ / "run");
  options.accumulate = 1;
  run_ranks(2, [&](World& world) {
    Motor model = fresh_model();
    const BatchFolder batches = data_->train();
    MotorTraining training(model, &batches, nullptr);
    EXPECT_THROW(train(training, options, "key", {}, world), ConfigError);
  });
}

}  // namespace
}  // namespace sequela
