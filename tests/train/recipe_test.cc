#include "sequela/train/recipe.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"

namespace sequela {
namespace {

void expect_femrs_numbers(const TrainOptions& options) {
  EXPECT_EQ(options.learning_rate, 1e-4);
  EXPECT_EQ(options.schedule, Schedule::linear);
  EXPECT_EQ(options.loss_scale, LossScale::mean);
  EXPECT_EQ(options.optimizer, OptimizerKind::adamw);
  EXPECT_EQ(options.beta1, 0.9);
  EXPECT_EQ(options.beta2, 0.95);
  EXPECT_EQ(options.epsilon, 1e-8);
  EXPECT_EQ(options.weight_decay, 0.1);
  EXPECT_EQ(options.max_gradient_norm, 1.0);
  EXPECT_EQ(options.warmup_steps, 500);
  EXPECT_EQ(options.epochs, 30);
  EXPECT_EQ(options.accumulate, 32);
  EXPECT_EQ(options.eval_every, 500);
  EXPECT_EQ(options.patience, 5);
}

TEST(Recipe, FemrsIsThePublishedOneAndThatOfTheStruct) {
  expect_femrs_numbers(TrainOptions{});
  TrainOptions options;
  options.learning_rate = 1;
  options.schedule = Schedule::constant;
  options.loss_scale = LossScale::events;
  options.beta1 = options.beta2 = options.epsilon = options.weight_decay = 0.5;
  options.max_gradient_norm = 7;
  options.warmup_steps = options.epochs = options.accumulate = options.eval_every = 7;
  options.patience = 7;
  options.max_steps = 11;
  options.optimizer = OptimizerKind::muon;
  options.folder = "out";
  apply_recipe(Recipe::femr, options);
  expect_femrs_numbers(options);
  EXPECT_EQ(options.max_steps, 11);
  EXPECT_EQ(options.folder, "out");
}

TEST(Recipe, IsReadByItsName) {
  for (Recipe recipe : {Recipe::femr, Recipe::sequela}) {
    EXPECT_EQ(to_recipe(to_text(recipe)), recipe);
    TrainOptions options;
    apply_recipe(recipe, options);
    EXPECT_NO_THROW(options.validate());
  }
  EXPECT_EQ(embedding_std(Recipe::femr), 1);
  TrainOptions own;
  apply_recipe(Recipe::sequela, own);
  EXPECT_EQ(own.optimizer, OptimizerKind::muon);
  EXPECT_THROW(to_recipe("motor"), ConfigError);
}

TEST(Recipe, SizesGrowAndTheLargestIsThePublishedModel) {
  const ModelSize &tiny = find_model_size("tiny"), &small = find_model_size("small"),
                  &base = find_model_size("base");
  EXPECT_EQ(base.layers, 12);
  EXPECT_EQ(base.hidden, 768);
  EXPECT_EQ(base.heads, 12);
  EXPECT_EQ(base.intermediate, 3'072);
  EXPECT_EQ(base.learning_rate, TrainOptions{}.learning_rate);
  EXPECT_EQ(base.accumulate, TrainOptions{}.accumulate);
  EXPECT_EQ(small.layers, 4);
  EXPECT_EQ(small.hidden, 256);
  EXPECT_LT(tiny.hidden, small.hidden);
  for (const ModelSize* size : {&tiny, &small, &base}) EXPECT_EQ(size->hidden, 64 * size->heads);
  EXPECT_THROW(find_model_size("huge"), ConfigError);
}

TEST(Schedule, RisesLinearlyThenFallsAsItIsCalled) {
  for (Schedule schedule : {Schedule::linear, Schedule::cosine, Schedule::constant}) {
    EXPECT_EQ(to_schedule(to_text(schedule)), schedule);
    EXPECT_EQ(learning_rate_at(schedule, 2.0, 0, 4, 12), 0.0);
    EXPECT_EQ(learning_rate_at(schedule, 2.0, 1, 4, 12), 0.5);
    EXPECT_EQ(learning_rate_at(schedule, 2.0, 4, 4, 12), 2.0);
    EXPECT_EQ(learning_rate_at(schedule, 2.0, 0, 0, 12), 2.0);
  }
  EXPECT_EQ(learning_rate_at(Schedule::linear, 2.0, 10, 4, 12), 0.5);
  EXPECT_EQ(learning_rate_at(Schedule::constant, 2.0, 1'000, 4, 12), 2.0);
  // A quarter, half and all of the way: (1 + cos(pi / 4)) / 2, ...
  EXPECT_NEAR(learning_rate_at(Schedule::cosine, 2.0, 6, 4, 12), 1 + std::sqrt(0.5), 1e-12);
  EXPECT_NEAR(learning_rate_at(Schedule::cosine, 2.0, 8, 4, 12), 1, 1e-12);
  EXPECT_NEAR(learning_rate_at(Schedule::cosine, 2.0, 12, 4, 12), 0, 1e-12);
  EXPECT_NEAR(learning_rate_at(Schedule::cosine, 2.0, 99, 4, 12), 0, 1e-12);
  EXPECT_THROW(to_schedule("step"), ConfigError);
}

TEST(TrainOptions, RefusesAnEpsilonOfZero) {
  TrainOptions options;
  options.epsilon = 0;
  EXPECT_THROW(options.validate(), ConfigError);
  EXPECT_EQ(to_loss_scale("events"), LossScale::events);
  EXPECT_THROW(to_loss_scale("labels"), ConfigError);
}

}  // namespace
}  // namespace sequela
