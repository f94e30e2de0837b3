#include "sequela/model/classifier.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace sequela {
namespace {

Classifier made_up() {
  Classifier classifier(3, at::kCPU);
  const std::vector<float> weights = {0.5F, -2.0F, 0.25F};
  classifier.set(weights, -0.75);
  return classifier;
}

const std::vector<float> kStates = {1, 0.5F, 2, -1, 0.25F, 4, 0, 0, 0};

at::Tensor states() {
  return at::tensor(kStates).view({3, 3});
}

TEST(Classifier, LogitsAreLinear) {
  const std::vector<double> logits = made_up().logits(states());
  ASSERT_EQ(logits.size(), 3u);
  EXPECT_DOUBLE_EQ(logits[0], 0.5 - 1 + 0.5 - 0.75);
  EXPECT_DOUBLE_EQ(logits[1], -0.5 - 0.5 + 1 - 0.75);
  EXPECT_DOUBLE_EQ(logits[2], -0.75);
}

TEST(Classifier, CostIsTheSummedLogLoss) {
  Classifier classifier = made_up();
  const std::vector<uint8_t> outcomes = {1, 0, 1};
  const double expected = std::log1p(std::exp(0.75)) * 3 - 0.75;
  EXPECT_NEAR(classifier.cost(states(), outcomes, std::nullopt).sum, expected, 1e-12);
}

TEST(Classifier, CostOfHugeLogitsIsFinite) {
  Classifier classifier = made_up();
  const at::Tensor far = at::tensor(std::vector<float>{4e6F, 0, 0, 4e6F, 0, 0}).view({2, 3});
  const std::vector<uint8_t> outcomes = {1, 0};
  EXPECT_DOUBLE_EQ(classifier.cost(far, outcomes, std::nullopt).sum, 2e6 - 0.75);
}

// Central differences in double.
TEST(Classifier, GradientsAreTheSlopeOfTheCost) {
  Classifier classifier = made_up();
  const std::vector<uint8_t> outcomes = {1, 0, 1};
  const double scale = 0.25, step = 1e-3;
  const Classifier::Cost cost = classifier.cost(states(), outcomes, scale);
  const auto sum = [&](const at::Tensor& at_states) {
    return classifier.cost(at_states, outcomes, std::nullopt).sum;
  };
  for (Parameter& parameter : classifier.parameters().items) {
    for (int64_t i = 0; i < parameter.value.numel(); ++i) {
      at::Tensor value = parameter.value.view(-1)[i];
      const double before = value.item<double>();
      value.fill_(before + step);
      const double above = sum(states()), up = value.item<double>();
      value.fill_(before - step);
      const double slope = (above - sum(states())) / (up - value.item<double>());
      value.fill_(before);
      EXPECT_NEAR(parameter.gradient.view(-1)[i].item<double>(), scale * slope, 1e-6);
    }
  }
  for (int64_t i = 0; i < 9; ++i) {
    at::Tensor above = states(), below = states();
    above.view(-1)[i] += step;
    below.view(-1)[i] -= step;
    const double width = (above - below).view(-1)[i].item<double>();
    EXPECT_NEAR(cost.grad_states_LH.view(-1)[i].item<double>(),
                scale * (sum(above) - sum(below)) / width, 1e-6);
  }
}

TEST(Classifier, GradientsAddUp) {
  Classifier classifier = made_up();
  const std::vector<uint8_t> outcomes = {1, 0, 1};
  classifier.cost(states(), outcomes, 1.0);
  const at::Tensor once = classifier.parameters().items[0].gradient.clone();
  classifier.cost(states(), outcomes, 2.0);
  EXPECT_TRUE(at::allclose(classifier.parameters().items[0].gradient, 3 * once));
}

}  // namespace
}  // namespace sequela
