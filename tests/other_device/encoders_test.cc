// Encoders of the BERT family and the progression model on the other device, against the CPU.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/encoders/bert/bert_heads.h"
#include "sequela/encoders/bert/bert_weights.h"
#include "sequela/encoders/bert/visit_encoder.h"
#include "sequela/encoders/progression/lstm_baseline.h"
#include "sequela/encoders/progression/progression_model.h"
#include "tests/encoders/small_bert.h"
#include "tests/other_device/other_device.h"

namespace sequela {
namespace {

constexpr double kTolerance = 2e-5;

void expect_same(const at::Tensor& actual, const at::Tensor& expected, const std::string& name) {
  ASSERT_EQ(actual.defined(), expected.defined()) << name;
  if (!expected.defined()) return;
  ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
  const at::Tensor host = expected.detach().to(at::kCPU, at::kFloat);
  const at::Tensor difference = actual.detach().to(at::kCPU, at::kFloat) - host;
  if (host.numel() == 0) return;
  const double scale = std::max(1.0, host.abs().max().item<double>());
  EXPECT_LT(difference.abs().max().item<double>(), kTolerance * scale) << name;
}

// The encoder with all heads.
NamedTensors all_weights(const BertConfig& config, int64_t features) {
  NamedTensors weights = random_bert_weights(config, 3);
  const int64_t hidden = config.hidden_size;
  at::Generator generator = at::detail::createCPUGenerator(5);
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    weights.try_emplace(name, at::randn(shape, generator, at::kFloat).mul_(0.1));
  };
  add("bert.pooler.dense.weight", {hidden, hidden});
  add("bert.pooler.dense.bias", {hidden});
  for (const char* direction : {"", "_reverse"}) {
    for (const char* part : {"ih", "hh"}) {
      add(std::string("lstm.weight_") + part + "_l0" + direction, {4 * hidden, hidden});
      add(std::string("lstm.bias_") + part + "_l0" + direction, {4 * hidden});
    }
  }
  add("age_batch_norm.weight", {1});
  add("age_batch_norm.bias", {1});
  weights["age_batch_norm.running_mean"] = at::full({1}, 40.f);
  weights["age_batch_norm.running_var"] = at::full({1}, 100.f);
  weights["age_batch_norm.num_batches_tracked"] = at::zeros({}, at::kLong);
  add("dense_layer.weight", {hidden / 2, features + 1});
  add("dense_layer.bias", {hidden / 2});
  add("classifier.weight", {1, hidden / 2});
  add("classifier.bias", {1});
  return weights;
}

NamedTensors moved(const NamedTensors& weights, at::Device device) {
  NamedTensors result;
  for (const auto& [name, tensor] : weights)
    result.try_emplace(name, tensor.detach().to(device, tensor.scalar_type(), false, true));
  return to_trainable(result);
}

// Three rows of up to 9 codes; the last has one.
PaddedBertBatch padded_batch(BertKind kind) {
  PaddedBertBatch batch;
  batch.ids_BL = at::arange(27, at::kLong).mul(7).remainder(29).add(1).view({3, 9});
  batch.mask_BL = at::arange(9).lt(at::tensor({9, 6, 1}, at::kLong).unsqueeze(1));
  if (kind == BertKind::bert) return batch;
  batch.segments_BL = batch.ids_BL.remainder(3);
  batch.visit_orders_BL = at::arange(27, at::kLong).view({3, 9});
  batch.ages_BL = at::arange(27, at::kFloat).view({3, 9}).add(30);
  batch.dates_BL = batch.ages_BL.mul(5);
  batch.values_BL = at::sin(batch.ages_BL);
  batch.value_mask_BL = batch.ids_BL.remainder(4).eq(0);
  return batch;
}

class OnOtherDevice : public testing::TestWithParam<BertKind> {
 protected:
  // What a run gives on a device, by name; the ids lie on `home`.
  using Results = std::vector<std::pair<std::string, at::Tensor>>;

  // The results of run(config, weights, batch) on both devices; all come back to where the ids are.
  // `features`: columns of what a classifier sees.
  template <class Run>
  void expect_same_results(Run run, int64_t features = 32) {
    BertConfig config = small_bert_config(GetParam());
    config.include_value_prediction = GetParam() == BertKind::cehr_bert;
    const NamedTensors weights = all_weights(config, features);
    const PaddedBertBatch batch = padded_batch(GetParam());
    const NamedTensors here = moved(weights, at::kCPU);
    const Results expected = run(config, here, batch);
    for (const at::Device home : {at::Device(at::kCPU), other_device()}) {
      const NamedTensors there = moved(weights, other_device());
      const Results actual = run(config, there, to_device(batch, home));
      ASSERT_EQ(actual.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        const auto& [name, tensor] = actual[i];
        if (tensor.defined()) {
          EXPECT_EQ(tensor.device(), home) << name;
        }
        expect_same(tensor, expected[i].second, name);
      }
      for (const auto& [name, tensor] : here) {
        expect_same(there.at(name), tensor, name);  // the running means move
        expect_same(there.at(name).grad(), tensor.grad(), "gradient of " + name);
      }
    }
  }
};

TEST_P(OnOtherDevice, StatesAndAttentions) {
  expect_same_results(
      [](const BertConfig& config, const NamedTensors& weights, const PaddedBertBatch& padded) {
        const BertInput input = pack_bert_batch(padded, MaskHoles::skipped).input;
        const at::NoGradGuard no_graph;
        Results results;
        for (const bool wants_attentions : {false, true}) {
          const BertOutput output =
              BertModel(config, weights)
                  .forward(input,
                           {.pooled = true, .hidden_states = true, .attentions = wants_attentions});
          results.emplace_back("hidden", output.hidden_TH);
          results.emplace_back("pooled", output.pooled_SH);
          for (const at::Tensor& state : output.hidden_states) results.emplace_back("state", state);
          for (const at::Tensor& part : output.attentions) results.emplace_back("attention", part);
        }
        return results;
      });
}

// With dropout, whose draws do not depend on the device.
TEST_P(OnOtherDevice, MaskedCodesAndGradients) {
  for (const bool wants_attentions : {false, true}) {
    expect_same_results([&](const BertConfig& config, const NamedTensors& weights,
                            const PaddedBertBatch& padded) {
      const at::Device device = weights.begin()->second.device();
      const PackedBertBatch batch = pack_bert_batch(to_device(padded, device), MaskHoles::skipped);
      const BertOutput output =
          bert_forward(config, weights, batch.input, {.attentions = wants_attentions},
                       {.generator = at::detail::createCPUGenerator(9)});
      const at::Tensor labels =
          at::where(batch.input.ids_T.remainder(2).eq(0), batch.input.ids_T, -100);
      const MlmLoss loss = mlm_loss(config, weights, output.hidden_TH, batch.input, labels, 27);
      loss.total.backward();
      const at::Tensor logits = mlm_logits(config, weights, output.hidden_TH);
      const at::Device home = padded.ids_BL.device();
      return Results{{"loss", loss.total.to(home)}, {"logits", logits.to(home)}};
    });
  }
}

TEST_P(OnOtherDevice, ClassifiersAndGradients) {
  for (const CehrClassifier kind :
       {CehrClassifier::pooled, CehrClassifier::cls, CehrClassifier::lstm}) {
    expect_same_results(
        [&](const BertConfig& config, const NamedTensors& weights, const PaddedBertBatch& padded) {
          const at::Device device = weights.begin()->second.device();
          const PackedBertBatch batch =
              pack_bert_batch(to_device(padded, device), MaskHoles::separate);
          const BertDropout dropout{at::detail::createCPUGenerator(9)};
          const BertOutput output =
              bert_forward(config, weights, batch.input, {.pooled = true}, dropout);
          const at::Tensor logits = classifier_logits(config, weights, output, batch.input,
                                                      {.kind = kind,
                                                       .ages_S = at::tensor({30.f, 50.f, 70.f}),
                                                       .is_training = true,
                                                       .dropout = dropout});
          const at::Tensor loss = classifier_loss(logits, at::tensor({0, 1, 0}));
          loss.backward();
          const at::Device home = padded.ids_BL.device();
          return Results{{"loss", loss.to(home)}, {"logits", logits.to(home)}};
        },
        kind == CehrClassifier::lstm ? 64 : 32);
  }
}

TEST_P(OnOtherDevice, VisitsAndPatients) {
  for (const Pooling pooling : {Pooling::mean, Pooling::cls, Pooling::max}) {
    expect_same_results(
        [&](const BertConfig& config, const NamedTensors& weights, const PaddedBertBatch& padded) {
          const at::NoGradGuard no_graph;
          const VisitEncoder encoder(BertModel(config, weights), {.pooling = pooling});
          const at::Tensor &ids = padded.ids_BL, &mask = padded.mask_BL;
          const CodesInContext codes = encoder.encode_codes_with_attention(ids);
          const at::Tensor empty_visits = at::zeros({2, 3}, ids.options());
          return Results{
              {"visits", encoder.encode_visit(ids, mask)},
              {"patients", encoder.encode_patient(ids.view({1, 3, 9}), mask.view({1, 3, 9}))},
              {"no codes", encoder.encode_visit(empty_visits)},
              {"codes", encoder.encode_codes(ids)},
              {"in context", codes.hidden},
              {"attention", codes.attentions.front()}};
        });
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, OnOtherDevice, testing::Values(BertKind::bert, BertKind::cehr_bert),
                         [](const auto& info) {
                           return info.param == BertKind::bert ? "bert" : "cehr_bert";
                         });

VisitBatch visits(at::Device device) {
  VisitBatch batch;
  batch.codes_BNC = at::arange(3 * 4 * 5, at::kLong).mul(7).remainder(20).view({3, 4, 5});
  batch.codes_BNC[1].narrow(0, 2, 2).zero_();  // padding
  batch.time_features_BNF = at::sin(at::arange(24, at::kFloat)).view({3, 4, 2});
  batch.codes_BNC = batch.codes_BNC.to(device);
  batch.time_features_BNF = batch.time_features_BNF.to(device);
  return batch;
}

NamedTensors leaves(const std::vector<ParameterShape>& shapes, at::Device device) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  NamedTensors weights;
  for (const ParameterShape& shape : shapes) {
    const at::Tensor value = at::randn(shape.shape, generator, at::kFloat).mul_(0.2);
    weights.try_emplace(shape.name, value.to(device).requires_grad_());
  }
  return weights;
}

// run(weights, device) gives a tensor; its sum is taken back.
template <class Run>
void expect_same_gradients(const std::vector<ParameterShape>& shapes, Run run) {
  const NamedTensors here = leaves(shapes, at::kCPU), there = leaves(shapes, other_device());
  const at::Tensor expected = run(here, at::kCPU), actual = run(there, other_device());
  expect_same(actual, expected, "result");
  expected.square().sum().backward();
  actual.square().sum().backward();
  for (const auto& [name, tensor] : here)
    expect_same(there.at(name).grad(), tensor.grad(), "gradient of " + name);
}

TEST(OnOtherDevice, ProgressionOfVisits) {
  const ProgressionConfig config{.vocab_size = 20,
                                 .code_embed_dim = 8,
                                 .visit_embed_dim = 8,
                                 .hidden_dim = 12,
                                 .num_stages = 2,
                                 .num_layers = 2};
  for (const bool use_checkpoint : {false, true}) {
    expect_same_gradients(
        config.parameter_shapes(), [&](const NamedTensors& weights, at::Device device) {
          VisitForwardOptions options{.is_training = true, .use_checkpoint = use_checkpoint};
          options.generator = at::detail::createCPUGenerator(9);
          return forward_progression(config, weights, visits(device), options).stage_logits_BNS;
        });
  }
}

TEST(OnOtherDevice, LstmBaseline) {
  for (const VisitPooling pooling :
       {VisitPooling::mean, VisitPooling::max, VisitPooling::sum, VisitPooling::attention}) {
    const LstmBaselineConfig config{.vocab_size = 20,
                                    .embedding_dim = 8,
                                    .hidden_dim = 12,
                                    .is_bidirectional = true,
                                    .pooling = pooling};
    expect_same_gradients(config.parameter_shapes(),
                          [&](const NamedTensors& weights, at::Device device) {
                            return forward_lstm_baseline(config, weights, visits(device)).logits_BD;
                          });
  }
}

}  // namespace
}  // namespace sequela
