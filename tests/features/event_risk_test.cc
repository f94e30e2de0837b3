#include "sequela/features/event_risk.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sequela {
namespace {

// Two tasks, three bins: rates [K, C] of 1e-3 and 2^-10, ... a second.
const std::vector<double> kBins = {0, 100, 300, INFINITY};
const std::vector<float> kLog2Rates = {-10, -9, -8, -7, -12, -11};

TEST(EventRisk, AddsTheRatesBeforeTheHorizon) {
  const auto risk = [](double horizon, int task) {
    return EventRisk(kBins, horizon)(kLog2Rates.data() + task, 2);
  };
  const double a = std::exp2(-10), b = std::exp2(-8), c = std::exp2(-12);
  EXPECT_NEAR(risk(40, 0), 1 - std::exp(-40 * a), 1e-7);
  EXPECT_NEAR(risk(100, 0), 1 - std::exp(-100 * a), 1e-7);
  EXPECT_NEAR(risk(250, 0), 1 - std::exp(-(100 * a + 150 * b)), 1e-7);
  EXPECT_NEAR(risk(1'300, 0), 1 - std::exp(-(100 * a + 200 * b + 1'000 * c)), 1e-7);
  EXPECT_NEAR(risk(250, 1), 1 - std::exp(-2 * (100 * a + 150 * b)), 1e-7);
}

TEST(EventRisk, KeepsTheDigitsOfSmallRisks) {
  const float rate = -60;
  EXPECT_NEAR(EventRisk({0, INFINITY}, 1)(&rate, 1) / std::exp2(-60), 1, 1e-6);
}

TEST(EventRisk, LooksAtBinsBeforeTheHorizonAlone) {
  std::vector<float> rates = {-10, NAN, 1e30F};
  EXPECT_NEAR(EventRisk(kBins, 100)(rates.data(), 1), 1 - std::exp(-100 * std::exp2(-10)), 1e-7);
  EXPECT_TRUE(std::isnan(EventRisk(kBins, 101)(rates.data(), 1)));
  rates[1] = 1e30F;
  EXPECT_EQ(EventRisk(kBins, 101)(rates.data(), 1), 1);
}

TEST(EventRisk, RefusesHorizonsThatAreNone) {
  for (const double horizon : {0.0, -1.0, double{INFINITY}, double{NAN}}) {
    EXPECT_THROW(EventRisk(kBins, horizon), std::invalid_argument);
  }
}

}  // namespace
}  // namespace sequela
