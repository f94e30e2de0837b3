#include "sequela/train/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/train/schedule.h"

namespace sequela {
namespace {

Parameters two_parameters() {
  Parameters parameters;
  parameters.items.push_back({"matrix", at::tensor({1.0f, -2.0f, 3.0f}), {}, true});
  parameters.items.push_back({"bias", at::tensor({0.5f}), {}, false});
  parameters.zero_gradients();
  return parameters;
}

// AdamW written out for one value, in double precision.
struct Reference {
  double value, mean = 0, square = 0;
  void step(double gradient, double rate, double decay, int t, const TrainOptions& options) {
    value -= rate * decay * value;
    mean = options.beta1 * mean + (1 - options.beta1) * gradient;
    square = options.beta2 * square + (1 - options.beta2) * gradient * gradient;
    const double mean_hat = mean / (1 - std::pow(options.beta1, t));
    const double square_hat = square / (1 - std::pow(options.beta2, t));
    value -= rate * mean_hat / (std::sqrt(square_hat) + options.epsilon);
  }
};

TEST(AdamW, EqualsTheFormulaWithClippingAndDecayOfMatricesOnly) {
  TrainOptions options;
  options.max_gradient_norm = 1;
  Parameters parameters = two_parameters();
  Optimizer optimizer(parameters, options);
  Reference matrix{3.0}, bias{0.5};
  for (int t = 1; t <= 5; ++t) {
    parameters.items[0].gradient.copy_(at::tensor({2.0f, 1.0f, -2.0f * static_cast<float>(t)}));
    parameters.items[1].gradient.copy_(at::tensor({0.1f}));
    const double norm = std::sqrt(4 + 1 + 4.0 * t * t + 0.01);
    EXPECT_NEAR(optimizer.gradient_norm().item<double>(), norm, 1e-5);
    optimizer.step(1e-2, optimizer.gradient_norm());
    matrix.step(-2.0 * t / norm, 1e-2, options.weight_decay, t, options);
    bias.step(0.1 / norm, 1e-2, 0, t, options);
  }
  EXPECT_NEAR(parameters.items[0].value[2].item<double>(), matrix.value, 1e-5);
  EXPECT_NEAR(parameters.items[1].value[0].item<double>(), bias.value, 1e-5);
}

TEST(AdamW, StateRestoresExactly) {
  TrainOptions options;
  Parameters first = two_parameters(), second = two_parameters();
  Optimizer a(first, options), b(second, options);
  auto step = [](Parameters& parameters, Optimizer& optimizer, float gradient) {
    for (Parameter& parameter : parameters.items) parameter.gradient.fill_(gradient);
    optimizer.step(1e-2, optimizer.gradient_norm());
  };
  step(first, a, 0.3f);
  for (size_t i = 0; i < 2; ++i) second.items[i].value.copy_(first.items[i].value);
  b.load(a.state(), a.num_steps(), "x");
  step(first, a, -0.2f);
  step(second, b, -0.2f);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(at::equal(first.items[i].value, second.items[i].value));
  }
  Parameters empty;
  EXPECT_THROW(b.load(empty, 1, "x"), FileError);
}

TEST(Schedule, RisesThenFallsToZero) {
  EXPECT_EQ(linear_schedule(1.0, 0, 10, 110), 0.0);
  EXPECT_DOUBLE_EQ(linear_schedule(1.0, 5, 10, 110), 0.5);
  EXPECT_DOUBLE_EQ(linear_schedule(1.0, 10, 10, 110), 1.0);
  EXPECT_DOUBLE_EQ(linear_schedule(1.0, 60, 10, 110), 0.5);
  EXPECT_DOUBLE_EQ(linear_schedule(1.0, 110, 10, 110), 0.0);
}

}  // namespace
}  // namespace sequela
