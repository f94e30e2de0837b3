// The survival models, losses and concordance against the published classes' numbers
// (tests/reference/bert/e_lstm).
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/encoders/progression/survival.h"
#include "tests/encoders/progression_fixture.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

class SurvivalOfPeer : public OnReference {};

TEST_P(SurvivalOfPeer, HazardsAndLossEqualTheReference) {
  const c10::NoGradGuard no_grad;
  const NamedTensors expected = read_fixture("expected_upstream_src");
  const NamedTensors all = read_fixture("weights_upstream_src");
  const VisitBatch batch{expected.at("visit_codes"), expected.at("visit_mask"),
                         expected.at("survival_time.time_features")};
  SurvivalConfig config{.vocab_size = 100, .embedding_dim = 32, .hidden_dim = 24, .num_layers = 2};
  const at::Tensor hazards =
      forward_hazards(config, with_prefix(all, "survival."), batch).squeeze(-1);
  EXPECT_LT(max_difference(hazards, expected.at("survival.hazards")), kOutputTolerance);
  const SurvivalTargets targets{expected.at("survival.event_times"),
                                expected.at("survival.event_ind"), expected.at("sequence_mask")};
  EXPECT_NEAR(survival_loss(hazards, targets).item<double>(),
              expected.at("survival.loss").item<double>(), kOutputTolerance);
  const SurvivalCurves curves = survival_curves(hazards);
  EXPECT_LT(max_difference(curves.survival_BN, expected.at("survival.S")), kOutputTolerance);
  EXPECT_LT(max_difference(curves.cumulative_hazard_BN, expected.at("survival.H")),
            kOutputTolerance);
  EXPECT_DOUBLE_EQ(concordance_index(hazards.sum(1), targets.event_visits_B, targets.is_event_B),
                   expected.at("survival.cindex").item<double>());

  config.time_encoding_dim = 16;
  EXPECT_LT(
      max_difference(forward_hazards(config, with_prefix(all, "survival_time."), batch).squeeze(-1),
                     expected.at("survival_time.hazards")),
      kOutputTolerance);
  config.time_encoding_dim = 0;
  config.num_event_kinds = 3;
  EXPECT_LT(max_difference(forward_hazards(config, with_prefix(all, "competing."), batch),
                           expected.at("competing.hazards")),
            kOutputTolerance);
}

TEST(Survival, CensoringAndKindsOfEvents) {
  const at::Tensor hazards = at::tensor({0.1, 0.2, 0.4, 0.3, 0.5, 0.6}, at::kFloat).view({2, 3});
  const SurvivalTargets targets{at::tensor({1, 2}), at::tensor({1, 0}), at::ones({2, 3})};
  const double first = -std::log(0.9) - std::log(0.2);
  const double censored = -std::log(0.7) - std::log(0.5);
  EXPECT_NEAR(survival_loss(hazards, targets).item<double>(), (first + censored) / 2, 1e-6);

  const at::Tensor kinds = at::stack({hazards, hazards / 2}, -1);
  const SurvivalTargets second{at::tensor({1, 2}), at::tensor({2, 0}), at::ones({2, 3})};
  const double own = -std::log(1 - 0.15) - std::log(0.1);
  const double none = -std::log(1 - 0.45) - std::log(1 - 0.75);
  EXPECT_NEAR(competing_risks_loss(kinds, second).item<double>(), (own + none) / 2, 1e-6);
}

TEST(Survival, ConcordanceCountsPairs) {
  at::manual_seed(1);
  const at::Tensor risks = at::randint(0, 6, {60}), times = at::randint(0, 9, {60});
  const at::Tensor events = at::rand({60}).gt(0.3);
  double concordant = 0, total = 0;
  for (int64_t i = 0; i < 60; ++i) {
    for (int64_t j = 0; j < 60; ++j) {
      if (!events[i].item<bool>() || !(times[i] < times[j]).item<bool>()) continue;
      const double difference = (risks[i] - risks[j]).item<double>();
      concordant += difference > 0 ? 1 : difference == 0 ? 0.5 : 0;
      total += 1;
    }
  }
  EXPECT_NEAR(concordance_index(risks, times, events), concordant / total, 1e-12);
  EXPECT_EQ(concordance_index(risks, times, at::zeros({60})), 0.5);
}

SEQUELA_ON_REFERENCES(SurvivalOfPeer);

}  // namespace
}  // namespace sequela
