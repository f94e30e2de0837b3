#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/encoders/bert/bert_heads.h"
#include "sequela/encoders/bert/bert_model.h"
#include "sequela/encoders/bert/bert_weights.h"
#include "tests/encoders/bert_fixtures.h"

namespace sequela {
namespace {

const char kBatches[] = "b_cehrbert/batches.safetensors";
const char kExpected[] = "b_cehrbert/expected.safetensors";

struct OpenedModel {
  BertConfig config;
  NamedTensors weights;  // trainable
};

OpenedModel open_trainable(const std::string& folder) {
  const BertFolder opened = open_bert_folder(bert_path("b_cehrbert/" + folder));
  return {opened.config, to_trainable(opened.weights)};
}

// Gradients of every weight that the fixtures name under `prefix`.
void expect_gradients(const NamedTensors& weights, const TensorFile& expected,
                      const std::string& prefix) {
  int compared = 0;
  for (const TensorView& view : expected.views()) {
    if (!view.name.starts_with(prefix)) continue;
    const std::string name = view.name.substr(prefix.size());
    const at::Tensor& gradient = get_tensor(weights, name).grad();
    ASSERT_TRUE(gradient.defined()) << name;
    const at::Tensor right = expected[view.name];
    // A key's bias adds the same to all scores of a query: its true gradient is 0, and what both
    // sides hold is rounding of the size of the other gradients.
    const size_t key_bias = view.name.find("self.key.bias");
    const at::Tensor scale = key_bias == std::string::npos
                                 ? right
                                 : expected[view.name.substr(0, key_bias) + "self.query.bias"];
    const double size = scale.norm().item<double>();
    EXPECT_LE((gradient - right).norm().item<double>(), kGradientTolerance * size)
        << name << ", norm " << size;
    ++compared;
  }
  EXPECT_GT(compared, 30) << prefix;
}

class CehrBertOfFolder : public testing::TestWithParam<std::tuple<Reference, const char*>> {
 protected:
  void SetUp() override {
    if (!is_own_reference()) SEQUELA_NEED_SHARED();
  }

 private:
  WithReference with_reference_{std::get<0>(GetParam())};
};

TEST_P(CehrBertOfFolder, GivesThePackagesOutputs) {
  const std::string folder = std::get<1>(GetParam());
  const TensorFile batches(kBatches), expected(kExpected);
  const BertFolder opened = open_bert_folder(bert_path("b_cehrbert/" + folder));
  ASSERT_EQ(opened.config.kind, BertKind::cehr_bert);
  const BertModel model(opened.config, opened.weights);
  for (const std::string name : {"tail", "tail_long", "mlm"}) {
    const std::string key = folder + "." + name + ".";
    if (!expected.has(key + "last_hidden_state")) continue;
    const PackedBertBatch batch =
        pack_bert_batch(cehr_batch(batches, name + "."), MaskHoles::separate);
    const BertOutput output = model.forward(batch.input, {.pooled = true, .hidden_states = true});
    expect_close(output.hidden_TH, at_places(expected[key + "last_hidden_state"], batch.places_T),
                 key + "hidden");
    if (expected.has(key + "pooler")) {
      expect_close(output.pooled_SH, expected[key + "pooler"], key + "pooler");
    }
    if (expected.has(key + "embedding_output")) {
      expect_close(output.hidden_states[0],
                   at_places(expected[key + "embedding_output"], batch.places_T),
                   key + "embedding");
    }
    if (expected.has(key + "logits")) {
      expect_close(mlm_logits(opened.config, opened.weights, output.hidden_TH),
                   at_places(expected[key + "logits"], batch.places_T), key + "logits");
    }
  }
}

TEST_P(CehrBertOfFolder, GivesThePackagesLossAndGradients) {
  const std::string folder = std::get<1>(GetParam());
  const TensorFile batches(kBatches), expected(kExpected);
  const OpenedModel model = open_trainable(folder);
  const PaddedBertBatch padded = cehr_batch(batches, "mlm.");
  const PackedBertBatch batch = pack_bert_batch(padded, MaskHoles::separate);
  const at::Tensor labels_T = at_places(batches["mlm.labels"], batch.places_T);
  const BertOutput output = bert_forward(model.config, model.weights, batch.input);
  const MlmLoss loss = mlm_loss(model.config, model.weights, output.hidden_TH, batch.input,
                                labels_T, padded.ids_BL.numel());
  const double right = expected[folder + ".mlm.loss"].item<double>();
  EXPECT_NEAR(loss.total.item<double>(), right, 1e-4 * right);
  if (model.config.include_value_prediction) {
    expect_close(predict_values(model.config, model.weights, output.hidden_TH).detach(),
                 at_places(expected[folder + ".mlm.predicted_values"], batch.places_T).squeeze(1),
                 "values");
  }
  loss.total.backward();
  expect_gradients(model.weights, expected, folder + ".mlm.grad.");
}

INSTANTIATE_TEST_SUITE_P(Folders, CehrBertOfFolder,
                         testing::Combine(testing::Values(Reference::repository, Reference::shared),
                                          testing::Values("pretrain_vp0", "pretrain_vp1")),
                         name_on_reference<testing::TestParamInfo<CehrBertOfFolder::ParamType>>);

class CehrBertOfPackage : public OnReference {};

TEST_P(CehrBertOfPackage, GivesAttentionProbabilities) {
  const TensorFile batches(kBatches), expected(kExpected);
  const BertFolder opened = open_bert_folder(bert_path("b_cehrbert/pretrain_vp1"));
  const BertModel model(opened.config, opened.weights);
  const PackedBertBatch batch = pack_bert_batch(cehr_batch(batches, "tail."), MaskHoles::separate);
  const BertOutput output = model.forward(batch.input, {.attentions = true});
  for (int64_t layer = 0; layer < 2; ++layer) {
    const at::Tensor right = expected[str("pretrain_vp1.tail.attn", layer)];
    for (int64_t s = 0; s < batch.input.num_sequences(); ++s) {
      const int64_t length = batch.input.lengths_S[s].item<int64_t>();
      const auto square = [&](const at::Tensor& x) {
        return x[s].narrow(1, 0, length).narrow(2, 0, length);
      };
      expect_close(square(output.attentions[layer]), square(right), str("layer ", layer));
    }
  }
}

TEST_P(CehrBertOfPackage, EncodesWithoutValues) {
  const TensorFile batches(kBatches), expected(kExpected);
  const BertFolder opened = open_bert_folder(bert_path("b_cehrbert/pretrain_vp1"));
  PaddedBertBatch padded = cehr_batch(batches, "tail.");
  padded.values_BL = padded.value_mask_BL = at::Tensor();
  const PackedBertBatch batch = pack_bert_batch(padded, MaskHoles::separate);
  const BertOutput output = BertModel(opened.config, opened.weights).forward(batch.input);
  expect_close(output.hidden_TH,
               at_places(expected["pretrain_vp1.tail.novalues.last_hidden_state"], batch.places_T),
               "no values");
}

TEST_P(CehrBertOfPackage, SeparatesPackedSamples) {
  const TensorFile file("b_cehrbert/batch_packed.safetensors"), expected(kExpected);
  const BertFolder opened = open_bert_folder(bert_path("b_cehrbert/pretrain_vp1"));
  const PackedBertBatch batch = pack_bert_batch(cehr_batch(file, ""), MaskHoles::separate);
  EXPECT_EQ(batch.input.num_sequences(), 4);
  const BertOutput output = BertModel(opened.config, opened.weights).forward(batch.input);
  expect_close(output.hidden_TH,
               at_places(expected["pretrain_vp1.packed.last_hidden_state"], batch.places_T),
               "packed");
}

class CehrClassifierOfFolder : public testing::TestWithParam<std::tuple<Reference, const char*>> {
 protected:
  void SetUp() override {
    if (!is_own_reference()) SEQUELA_NEED_SHARED();
  }

 private:
  WithReference with_reference_{std::get<0>(GetParam())};
};

TEST_P(CehrClassifierOfFolder, GivesThePackagesLogitsLossAndGradients) {
  const std::string folder = std::get<1>(GetParam());
  const CehrClassifier kind =
      folder == "classifier" ? CehrClassifier::pooled : CehrClassifier::lstm;
  const TensorFile batches(kBatches), expected(kExpected);
  const OpenedModel model = open_trainable(folder);
  const at::Tensor ages = expected["clf.age_at_index"].view(-1);
  const auto run = [&](int64_t rows) {
    PaddedBertBatch padded = cehr_batch(batches, "tail.");
    for (at::Tensor* field :
         {&padded.ids_BL, &padded.mask_BL, &padded.segments_BL, &padded.visit_orders_BL,
          &padded.ages_BL, &padded.dates_BL, &padded.values_BL, &padded.value_mask_BL}) {
      *field = field->narrow(0, 0, rows);
    }
    const PackedBertBatch batch = pack_bert_batch(padded, MaskHoles::separate);
    const BertOutput output =
        bert_forward(model.config, model.weights, batch.input, {.pooled = true});
    return classifier_logits(model.config, model.weights, output, batch.input,
                             {.kind = kind, .ages_S = ages.narrow(0, 0, rows)});
  };
  const at::Tensor logits = run(4);
  expect_close(logits.detach(), expected[folder + ".eval.logits"].view(-1), "logits");
  const at::Tensor loss = classifier_loss(logits, expected["clf.labels"].view(-1));
  const double right = expected[folder + ".eval.loss"].item<double>();
  EXPECT_NEAR(loss.item<double>(), right, 1e-4 * right);
  loss.backward();
  expect_gradients(model.weights, expected, folder + ".grad.");
  // A batch of one uses the running statistics, and changes nothing for the next.
  expect_close(run(1).detach(), expected[folder + ".eval_b1.logits"].view(-1), "one");
  expect_close(run(4).detach(), expected[folder + ".eval.logits"].view(-1), "after one");
}

INSTANTIATE_TEST_SUITE_P(
    Folders, CehrClassifierOfFolder,
    testing::Combine(testing::Values(Reference::repository, Reference::shared),
                     testing::Values("classifier", "lstm_classifier")),
    name_on_reference<testing::TestParamInfo<CehrClassifierOfFolder::ParamType>>);

TEST_P(CehrBertOfPackage, ClassifiesPackedSamplesByTheirFirstState) {
  const TensorFile file("b_cehrbert/batch_packed.safetensors"), expected(kExpected);
  const BertFolder opened = open_bert_folder(bert_path("b_cehrbert/classifier"));
  const PackedBertBatch batch = pack_bert_batch(cehr_batch(file, ""), MaskHoles::separate);
  const BertOutput output = BertModel(opened.config, opened.weights).forward(batch.input);
  const at::Tensor logits =
      classifier_logits(opened.config, opened.weights, output, batch.input,
                        {.kind = CehrClassifier::cls, .ages_S = file["age_at_index"].view(-1)});
  expect_close(logits, expected["classifier.packed.logits"].view(-1), "packed");
}

TEST_P(CehrBertOfPackage, TrainingUsesTheBatchsAgesAndMovesTheRunningOnes) {
  const TensorFile batches(kBatches);
  const OpenedModel model = open_trainable("classifier");
  const at::Tensor& mean = get_tensor(model.weights, "age_batch_norm.running_mean");
  const at::Tensor before = mean.clone();
  const PackedBertBatch batch = pack_bert_batch(cehr_batch(batches, "tail."), MaskHoles::separate);
  const BertOutput output =
      bert_forward(model.config, model.weights, batch.input, {.pooled = true});
  const at::Tensor ages = at::tensor({40.0F, 50.0F, 60.0F, 70.0F});
  classifier_logits(model.config, model.weights, output, batch.input,
                    {.ages_S = ages, .is_training = true});
  EXPECT_NEAR(mean.item<double>(), 0.9 * before.item<double>() + 0.1 * 55, 1e-4);
}

SEQUELA_ON_REFERENCES(CehrBertOfPackage);

}  // namespace
}  // namespace sequela
