// LSTMProgressionModel against the published class's numbers (tests/reference/bert/e_lstm).
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <string>

#include "sequela/core/error.h"
#include "sequela/encoders/progression/progression_model.h"
#include "tests/encoders/progression_fixture.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

ProgressionConfig fixture_config() {
  return ProgressionConfig::read(reference_path("bert/e_lstm/config.json"));
}

ProgressionConfig small_config() {
  return {.vocab_size = 12,
          .code_embed_dim = 4,
          .visit_embed_dim = 3,
          .hidden_dim = 4,
          .num_stages = 2};
}

VisitBatch fixture_batch(const NamedTensors& expected) {
  return {expected.at("patient_visits"), expected.at("visit_mask"), expected.at("time_features")};
}

class ProgressionOfPeer : public OnReference {};

TEST_P(ProgressionOfPeer, OutputsEqualTheLengthAwareReference) {
  const c10::NoGradGuard no_grad;
  const NamedTensors expected = read_fixture("expected");
  VisitBatch batch = fixture_batch(expected);
  for (const bool has_mask : {true, false}) {
    if (!has_mask) batch.mask_BNC = at::Tensor();
    const auto out = forward_progression(fixture_config(), read_fixture("model"), batch);
    EXPECT_LT(max_difference(out.visit_embed_BNV, expected.at("good.visit_embed")),
              kOutputTolerance);
    EXPECT_LT(max_difference(out.sequence_output_BNH, expected.at("good.sequence_output")),
              kOutputTolerance);
    EXPECT_LT(max_difference(out.stage_logits_BNS, expected.at("good.stage_logits")),
              kOutputTolerance);
    EXPECT_LT(max_difference(out.time_to_progression_BN1, expected.at("good.time_pred")),
              kOutputTolerance);
  }
}

// With a mask of ones every position counts, as in the published class.
TEST_P(ProgressionOfPeer, GradientsEqualTheReference) {
  const NamedTensors expected = read_fixture("expected");
  NamedTensors weights = read_fixture("model");
  for (auto& [name, weight] : weights) weight.requires_grad_(true);
  VisitBatch batch = fixture_batch(expected);
  batch.mask_BNC = at::ones_like(batch.codes_BNC);
  for (const bool use_checkpoint : {false, true}) {
    for (auto& [name, weight] : weights) weight.mutable_grad() = at::Tensor();
    const auto out = forward_progression(
        fixture_config(), weights, batch,
        {.use_checkpoint = use_checkpoint, .block_codes = use_checkpoint ? 6 : 65'536});
    EXPECT_LT(max_difference(out.stage_logits_BNS, expected.at("stage_logits")), kOutputTolerance);
    EXPECT_LT(max_difference(out.final_hidden_LBH, expected.at("final_hidden")), kOutputTolerance);
    const at::Tensor loss = stage_loss(out.stage_logits_BNS, expected.at("labels"));
    EXPECT_NEAR(loss.item<double>(), expected.at("ce_loss").item<double>(), kGradientTolerance);
    loss.backward();
    int num_compared = 0;
    for (const auto& [name, weight] : weights) {
      const auto reference = expected.find("grad." + name);
      if (reference == expected.end()) continue;
      EXPECT_LT(max_difference(weight.grad(), reference->second), kGradientTolerance) << name;
      ++num_compared;
    }
    EXPECT_EQ(num_compared, 17);
  }
}

// Padding, the order of patients and the split into blocks change no gradient.
TEST(Progression, PaddingCostsAndChangesNothing) {
  ProgressionConfig config{.vocab_size = 30,
                           .code_embed_dim = 6,
                           .visit_embed_dim = 5,
                           .hidden_dim = 7,
                           .num_stages = 3};
  Parameters parameters = init_progression_parameters(config, 7);
  const NamedTensors weights = leaves_of(parameters);
  at::manual_seed(3);
  const at::Tensor codes = at::randint(1, 30, {3, 4, 5}, at::kLong);
  at::Tensor mask = at::rand({3, 4, 5}).gt(0.4);
  mask.select(0, 1).narrow(0, 2, 2).zero_();  // ends early
  mask.select(0, 2).select(0, 1).zero_();     // an empty visit in the middle
  mask.select(0, 2).select(0, 3).select(0, 4).fill_(true);
  const at::Tensor times = at::rand({3, 4, 2});
  const VisitBatch batch{codes, mask, times};
  const VisitBatch wide{at::constant_pad_nd(codes, {0, 3, 0, 2}, 9),
                        at::constant_pad_nd(mask, {0, 3, 0, 2}),
                        at::constant_pad_nd(times, {0, 0, 0, 2}, 5.0)};
  const auto run = [&](const VisitBatch& input, const VisitForwardOptions& options) {
    parameters.zero_gradients();
    const auto out = forward_progression(config, weights, input, options);
    (out.stage_logits_BNS.narrow(1, 0, 4).square().sum() + out.final_hidden_LBH.sum()).backward();
    return std::pair{out.stage_logits_BNS.narrow(1, 0, 4).detach(),
                     parameters.flat_gradients.clone()};
  };
  const auto [logits, gradients] = run(batch, {});
  for (const auto& [other_logits, other_gradients] :
       {run(wide, {}), run(batch, {.use_checkpoint = true, .block_codes = 4})}) {
    EXPECT_LT(max_difference(logits, other_logits), 1e-6);
    EXPECT_LT(max_difference(gradients, other_gradients), 2e-5);
  }
  EXPECT_EQ(parameters.get("encoder.code_embeddings.weight").gradient[0].abs().sum().item<float>(),
            0);
}

TEST(Progression, GradientsAreDerivatives) {
  const ProgressionConfig config = small_config();
  Parameters parameters = init_progression_parameters(config, 11);
  NamedTensors weights;
  for (const Parameter& item : parameters.items) {
    weights[item.name] = item.value.to(at::kDouble).requires_grad_(true);
  }
  at::manual_seed(5);
  const VisitBatch batch{at::randint(0, 12, {3, 3, 4}, at::kLong), {}, at::rand({3, 3, 2})};
  const auto objective = [&] {
    const auto out = forward_progression(config, weights, batch);
    return out.stage_logits_BNS.sin().sum() + out.time_to_progression_BN1.sum();
  };
  objective().backward();
  for (auto& [name, weight] : weights) {
    const c10::NoGradGuard no_grad;
    at::Tensor flat = weight.view({-1});
    const int64_t place = flat.size(0) / 2;
    const double step = 1e-5;
    flat[place].add_(step);
    const double above = objective().item<double>();
    flat[place].add_(-2 * step);
    const double below = objective().item<double>();
    flat[place].add_(step);
    EXPECT_NEAR(weight.grad().view({-1})[place].item<double>(), (above - below) / (2 * step), 1e-6)
        << name;
  }
}

TEST(Progression, FrozenWeightsBuildNoGraph) {
  const ProgressionConfig config = small_config();
  Parameters parameters = init_progression_parameters(config, 11);
  NamedTensors weights;
  for (const Parameter& item : parameters.items) weights[item.name] = item.value.detach();
  const VisitBatch batch{at::ones({2, 2, 3}, at::kLong), {}, {}};
  EXPECT_FALSE(forward_progression(config, weights, batch).stage_logits_BNS.requires_grad());
  weights["stage_classifier.bias"].requires_grad_(true);
  const auto out = forward_progression(config, weights, batch);
  EXPECT_TRUE(out.stage_logits_BNS.requires_grad());
  EXPECT_FALSE(out.sequence_output_BNH.requires_grad());
}

TEST(Progression, BadInputIsNamed) {
  const ProgressionConfig config = small_config();
  Parameters parameters = init_progression_parameters(config, 11);
  NamedTensors weights = leaves_of(parameters);
  const at::Tensor codes = at::ones({2, 2, 3}, at::kLong);
  EXPECT_THROW(forward_progression(config, weights, {codes * 12, {}, {}}), ConfigError);
  EXPECT_THROW(forward_progression(config, weights, {codes * -1, {}, {}}), ConfigError);
  EXPECT_THROW(forward_progression(config, weights, {codes[0], {}, {}}), std::invalid_argument);
  EXPECT_THROW(forward_progression(config, weights, {codes, at::ones({2, 2, 2}), {}}),
               std::invalid_argument);
  EXPECT_THROW(forward_progression(config, weights, {codes, {}, at::ones({2, 2, 3})}),
               std::invalid_argument);
  weights.erase("encoder.visit_lstm.bias_hh_l0");
  EXPECT_THROW(forward_progression(config, weights, {codes, {}, {}}), std::invalid_argument);
  // No codes at all, and no visits at all.
  weights = leaves_of(parameters);
  const auto empty =
      forward_progression(config, weights, {at::zeros({2, 3, 4}, at::kLong), {}, {}});
  EXPECT_EQ(empty.sequence_output_BNH.abs().sum().item<float>(), 0);
  EXPECT_EQ(forward_progression(config, weights, {at::zeros({2, 0, 4}, at::kLong), {}, {}})
                .stage_logits_BNS.sizes(),
            (std::vector<int64_t>{2, 0, 2}));
}

TEST(Progression, PresetsHaveTheirSizes) {
  EXPECT_EQ(progression_preset("small").config.num_parameters(), 2'501'382);
  EXPECT_EQ(progression_preset("medium", 1000).config.vocab_size, 1000);
  EXPECT_EQ(progression_preset("large").config.hidden_dim, 1024);
  EXPECT_THROW(progression_preset("huge"), ConfigError);
  for (const char* name : {"small", "medium", "large"}) {
    const ProgressionConfig config = progression_preset(name, 100).config;
    EXPECT_EQ(init_progression_parameters(config, 1).num_values(), config.num_parameters());
  }
}

TEST_P(ProgressionOfPeer, TimeFeaturesAreYearsFromTheFirstAndThePreviousVisit) {
  const NamedTensors expected = read_fixture("expected");
  const at::Tensor days = at::tensor({0., 30., 95., 0., 0., 7., 400., 401.}).view({2, 4});
  EXPECT_LT(
      max_difference(to_time_features(days, at::tensor({3, 4})), expected.at("time_features")),
      1e-6);
}

SEQUELA_ON_REFERENCES(ProgressionOfPeer);

}  // namespace
}  // namespace sequela
