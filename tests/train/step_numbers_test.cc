#include "sequela/train/step_numbers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace sequela {
namespace {

at::Tensor number(double value) {
  return at::scalar_tensor(value, at::kFloat);
}

TEST(StepNumbers, AreReadTogetherAndOnce) {
  StepNumbers numbers;
  numbers.add_batch(7, number(1));
  numbers.add_batch(8, number(2));
  numbers.end_step(0, number(10), 5);
  numbers.add_batch(9, number(4));
  numbers.end_step(1, number(12), 4);
  numbers.add_batch(10, number(8));  // of the step under way
  EXPECT_EQ(numbers.num_unread(), 2u);
  const StepNumbers::Read read = numbers.read(2);
  EXPECT_EQ(read.loss_sum, 15);
  EXPECT_EQ(read.num_losses, 4);
  EXPECT_EQ(read.ended_loss_sum, 7);
  EXPECT_EQ(read.num_ended_losses, 3);
  EXPECT_EQ(read.norm, 3);
  EXPECT_FALSE(read.fault.has_value());
  EXPECT_EQ(numbers.read(2).num_losses, 0);
}

TEST(StepNumbers, NameTheFirstThatIsNotFinite) {
  StepNumbers numbers;
  numbers.add_batch(7, number(1));
  numbers.end_step(3, number(1), 1);
  numbers.add_batch(8, number(1));
  numbers.add_batch(9, number(NAN));
  numbers.end_step(4, number(INFINITY), 1);
  const auto loss = numbers.read(5).fault;
  ASSERT_TRUE(loss.has_value());
  EXPECT_EQ(loss->step, 4);
  EXPECT_EQ(loss->batch, 9);
  EXPECT_STREQ(loss->what, "loss");

  numbers.add_batch(1, number(1));
  numbers.add_batch(2, number(1));
  numbers.end_step(6, number(INFINITY), 1);
  const auto gradient = numbers.read(7).fault;
  ASSERT_TRUE(gradient.has_value());
  EXPECT_EQ(gradient->step, 6);
  EXPECT_EQ(gradient->batch, 2);
  EXPECT_STREQ(gradient->what, "gradient");
}

// The batch that a gradient is blamed on is known also where its loss was read before.
TEST(StepNumbers, KnowTheLastBatchAfterACheckpoint) {
  StepNumbers numbers;
  numbers.add_batch(5, number(1));
  EXPECT_EQ(numbers.read(0).num_losses, 1);
  numbers.end_step(0, number(NAN), 1);
  EXPECT_EQ(numbers.read(1).fault->batch, 5);
}

TEST(StepNumbers, ForgetBatchesThatAreComputedAnew) {
  StepNumbers numbers;
  numbers.add_batch(5, number(NAN));
  numbers.drop_batches();
  numbers.add_batch(5, number(2));
  const StepNumbers::Read read = numbers.read(0);
  EXPECT_FALSE(read.fault.has_value());
  EXPECT_EQ(read.loss_sum, 2);
}

}  // namespace
}  // namespace sequela
