#include "sequela/train/memory_plan.h"

#include <gtest/gtest.h>

#include "tests/train/fixture.h"

namespace sequela {
namespace {

ModelConfig some_config() {
  return read_model_config(reference_path("motor/model_main/config.json"));
}

TEST(MemoryPlan, CountsEveryValue) {
  const ModelConfig config = some_config();
  Motor model(config, 1, at::kCPU, Precision::fp32);
  const int64_t bytes = model.parameters().flat_values.numel() * 4;
  TrainOptions train;
  const MemoryPlan plan = plan_memory(config, train, {});
  EXPECT_EQ(plan.weights, bytes);
  EXPECT_EQ(plan.gradients, bytes);
  EXPECT_EQ(plan.lane_sums, 2 * bytes);  // of four lanes two wait at the most
  EXPECT_EQ(plan.exchange, 0);
  EXPECT_EQ(plan.optimizer, 8 * model.parameters().num_values());
  EXPECT_EQ(plan_memory(config, train, {.precision = Precision::bf16}).weights, bytes * 3 / 2);
  train.accumulate = 1;
  EXPECT_EQ(plan_memory(config, train, {}).lane_sums, 0);
}

TEST(MemoryPlan, SharesTheOptimizerAmongRanks) {
  const ModelConfig config = some_config();
  const TrainOptions train;
  const MemoryPlan one = plan_memory(config, train, {});
  const MemoryPlan four = plan_memory(config, train, {.num_ranks = 4});
  EXPECT_LT(four.optimizer, one.optimizer / 2);
  EXPECT_GE(four.optimizer, one.optimizer / 4);
  EXPECT_EQ(four.lane_sums, 0);
  EXPECT_EQ(four.weights, one.weights);
  EXPECT_EQ(four.activations, one.activations);
}

TEST(MemoryPlan, TellsTheLargestBatch) {
  const MemoryPlan plan = plan_memory(some_config(), {}, {.tokens_per_batch = 1'000});
  EXPECT_EQ(plan.largest_batch(plan.total()), 1'000);
  EXPECT_EQ(plan.largest_batch(plan.total() + plan.per_token), 1'001);
  EXPECT_EQ(plan.largest_batch(plan.total() - plan.activations - 1), 0);
}

}  // namespace
}  // namespace sequela
