#include "sequela/encoders/bert/visit_encoder.h"

#include <gtest/gtest.h>

#include <thread>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/encoders/bert/bert_weights.h"
#include "tests/encoders/bert_fixtures.h"
#include "tests/support/isa.h"

namespace sequela {
namespace {

const char* const kFolders[] = {
    "model_st",   "model_bin",   "mlm_st",    "mlm_bin", "old_gamma_beta_legacy_bin",
    "sharded_st", "sharded_bin", "views_bin", "bare"};

const std::pair<const char*, Pooling> kPoolings[] = {
    {"mean", Pooling::mean}, {"cls", Pooling::cls}, {"max", Pooling::max}};

class VisitEncoderOfFolder : public testing::TestWithParam<std::tuple<Reference, const char*>> {
 protected:
  void SetUp() override {
    if (!is_own_reference()) SEQUELA_NEED_SHARED();
  }
  VisitEncoder open(Pooling pooling, int64_t max_tokens = 2'048) const {
    return VisitEncoder::open(bert_path(std::string("a_bert/") + std::get<1>(GetParam())),
                              BertPrecision::float32,
                              {.pooling = pooling, .max_tokens_per_pass = max_tokens});
  }

 private:
  WithReference with_reference_{std::get<0>(GetParam())};
};

TEST_P(VisitEncoderOfFolder, EncodesVisitsAndPatients) {
  const TensorFile inputs("a_bert/inputs.safetensors"), expected("a_bert/expected.safetensors");
  for (const auto& [name, pooling] : kPoolings) {
    const std::string visit = std::string("good.encode_visit.") + name;
    const std::string patient = std::string("good.encode_patient.") + name;
    for (const int64_t max_tokens : {1, 5, 2'048}) {
      const VisitEncoder encoder = open(pooling, max_tokens);
      expect_close(encoder.encode_visit(inputs["visits"]), expected[visit + ".nomask"], visit);
      expect_close(encoder.encode_visit(inputs["visits"], inputs["vmask"]),
                   expected[visit + ".mask"], visit);
      expect_close(encoder.encode_patient(inputs["pat"]), expected[patient + ".nomask"], patient);
      expect_close(encoder.encode_patient(inputs["pat"], inputs["pmask"]),
                   expected[patient + ".mask"], patient);
    }
  }
}

TEST_P(VisitEncoderOfFolder, EncodesCodes) {
  const TensorFile inputs("a_bert/inputs.safetensors"), expected("a_bert/expected.safetensors");
  const VisitEncoder encoder = open(Pooling::mean);
  expect_close(encoder.get_code_embeddings(), expected["model.get_code_embeddings"], "table");
  for (const char* name : {"code1", "code1_one", "code2", "code2_b1"}) {
    expect_close(encoder.encode_codes(inputs[name]),
                 expected[std::string("good.encode_codes.") + name], name);
  }
}

TEST_P(VisitEncoderOfFolder, EncodesCodesWithAttention) {
  const TensorFile inputs("a_bert/inputs.safetensors"), expected("a_bert/expected.safetensors");
  const VisitEncoder encoder = open(Pooling::mean);
  const CodesInContext good = encoder.encode_codes_with_attention(inputs["code2"]);
  expect_close(good.hidden, expected["good.encode_codes_attn.code2.hidden"], "hidden");
  ASSERT_EQ(good.attentions.size(), 3U);
  for (int layer = 0; layer < 3; ++layer) {
    const std::string name = str("good.encode_codes_attn.code2.attn", layer);
    expect_close(good.attentions[layer], expected[name], name);
  }
  // Without padding ehr-sequencing's wrapper agrees, but for its rank.
  const CodesInContext one = encoder.encode_codes_with_attention(inputs["code1"]);
  expect_close(one.hidden, expected["model.encode_codes_attn.code1.hidden"][0], "one row");
  expect_close(one.attentions[2], expected["model.encode_codes_attn.code1.attn2"][0], "attention");
}

INSTANTIATE_TEST_SUITE_P(
    Folders, VisitEncoderOfFolder,
    testing::Combine(testing::Values(Reference::repository, Reference::shared),
                     testing::ValuesIn(kFolders)),
    name_on_reference<testing::TestParamInfo<VisitEncoderOfFolder::ParamType>>);

VisitEncoder small_encoder(Pooling pooling = Pooling::mean,
                           BertPrecision precision = BertPrecision::float32) {
  BertConfig config;
  config.vocab_size = 300;
  config.hidden_size = 64;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 2;
  config.intermediate_size = 160;
  config.max_position_embeddings = 40;
  config.initializer_range = 0.1;
  return VisitEncoder(BertModel(config, random_bert_weights(config, 7), precision),
                      {.pooling = pooling});
}

TEST(VisitEncoder, EmptyVisitsGiveZeros) {
  for (const auto& [name, pooling] : kPoolings) {
    const VisitEncoder encoder = small_encoder(pooling);
    const at::Tensor none = encoder.encode_visit(at::zeros({3, 4}, at::kLong));
    EXPECT_EQ(none.abs().max().item<float>(), 0) << name;
    EXPECT_EQ(encoder.encode_patient(at::zeros({0, 4, 2}, at::kLong)).size(0), 0);
    EXPECT_EQ(encoder.encode_visit(at::zeros({2, 0}, at::kLong)).abs().sum().item<float>(), 0);
  }
}

TEST(VisitEncoder, RefusesIdsOutsideTheVocabularyInOneSentence) {
  const VisitEncoder encoder = small_encoder();
  for (const int64_t id : {int64_t{300}, int64_t{-1}}) {
    const at::Tensor ids = at::tensor({5L, id}).unsqueeze(0);
    for (const auto& run :
         {+[](const VisitEncoder&e, const at::Tensor&x) { e.encode_codes(x); },
          +[](const VisitEncoder&e, const at::Tensor&x) { e.encode_visit(x); },
          +[](const VisitEncoder&e, const at::Tensor&x) { e.encode_codes_with_attention(x); }}) {
      try {
        run(encoder, ids);
        FAIL() << "id " << id;
      } catch (const DataError& error) {
        EXPECT_NE(std::string(error.what()).find(str("code id ", id, " is outside")),
                  std::string::npos)
            << error.what();
        EXPECT_NE(std::string(error.what()).find("resize_vocabulary"), std::string::npos);
      }
    }
  }
}

TEST(VisitEncoder, RefusesAVisitOverTheContextWindow) {
  const VisitEncoder encoder = small_encoder();
  EXPECT_NO_THROW(encoder.encode_visit(at::ones({2, 40}, at::kLong)));
  at::Tensor ids = at::zeros({2, 60}, at::kLong);
  EXPECT_NO_THROW(encoder.encode_visit(ids));  // padding may reach as far as it likes
  ids[1].narrow(0, 0, 41).fill_(3);
  try {
    encoder.encode_visit(ids);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("visit 1 has 41 codes"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("context window of 40"), std::string::npos);
  }
}

TEST(VisitEncoder, RefusesWrongShapesAndPoolings) {
  const VisitEncoder encoder = small_encoder();
  EXPECT_THROW(encoder.encode_visit(at::ones({2, 3, 4}, at::kLong)), std::invalid_argument);
  EXPECT_THROW(encoder.encode_visit(at::ones({2, 3})), std::invalid_argument);
  EXPECT_THROW(encoder.encode_visit(at::ones({2, 3}, at::kLong), at::ones({2, 4})),
               std::invalid_argument);
  EXPECT_THROW(parse_pooling("median"), ConfigError);
}

double smallest_cosine(const at::Tensor& a, const at::Tensor& b) {
  return at::cosine_similarity(a, b, 1).min().item<double>();
}

TEST(VisitEncoder, LowerPrecisionsStayCloseOnEveryInstructionSet) {
  const at::Tensor ids = at::arange(1, 241, at::kLong).view({8, 30});
  const at::Tensor exact = small_encoder().encode_visit(ids);
  for (const Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (const auto& [precision, least] : {std::pair{BertPrecision::float32, 0.999999},
                                           {BertPrecision::bfloat16, 0.9999},
                                           {BertPrecision::int8, 0.999}}) {
      const at::Tensor rough = small_encoder(Pooling::mean, precision).encode_visit(ids);
      EXPECT_GE(smallest_cosine(exact, rough), least) << to_text(isa);
      EXPECT_LT(largest_difference(exact, rough), (1 - least) * 300) << to_text(isa);
      EXPECT_EQ(rough.scalar_type(), at::kFloat);
    }
  }
}

TEST(VisitEncoder, CarriesAGraphOnlyWhenWeightsAskForIt) {
  const VisitEncoder frozen = small_encoder();
  const at::Tensor ids = at::tensor({5L, 7L, 0L, 9L, 0L, 0L}).view({2, 3});
  EXPECT_FALSE(frozen.encode_visit(ids).requires_grad());
  const VisitEncoder tuned(BertModel(frozen.config(), to_trainable(frozen.model().weights())),
                           frozen.options());
  const at::Tensor visits = tuned.encode_visit(ids);
  EXPECT_TRUE(visits.requires_grad());
  EXPECT_LE(largest_difference(visits.detach(), frozen.encode_visit(ids)), 1e-5);
  visits.sum().backward();
  EXPECT_TRUE(tuned.model().word_embeddings().grad().defined());
  EXPECT_EQ(tuned.model().word_embeddings().grad()[0].abs().sum().item<float>(), 0);
}

// `parameter.data.add_()` in Python does not count as a change for torch.
TEST(VisitEncoder, SeesWeightsThatWereChangedPastTorchsCount) {
  for (const BertPrecision precision :
       {BertPrecision::float32, BertPrecision::bfloat16, BertPrecision::int8}) {
    const VisitEncoder encoder = small_encoder(Pooling::mean, precision);
    const at::Tensor ids = at::tensor({5L, 7L, 9L}).view({1, 3});
    const at::Tensor before = encoder.encode_visit(ids);
    const at::Tensor weight =
        encoder.model().weights().at("bert.encoder.layer.1.intermediate.dense.weight");
    at::from_blob(weight.data_ptr(), weight.sizes(), at::kFloat).mul_(2);
    EXPECT_GT(largest_difference(before, encoder.encode_visit(ids)), 1e-3);
  }
}

// Threads share a model; none waits for another's pass, and all get the same.
TEST(VisitEncoder, GivesThreadsTheSame) {
  const VisitEncoder encoder = small_encoder();
  const at::Tensor ids = at::arange(1, 121, at::kLong).view({4, 30});
  std::vector<at::Tensor> results(4);
  std::vector<std::thread> threads;
  for (at::Tensor& result : results)
    threads.emplace_back([&] { result = encoder.encode_visit(ids); });
  for (std::thread& thread : threads) thread.join();
  for (const at::Tensor& result : results) EXPECT_TRUE(result.equal(results[0]));
}

TEST(VisitEncoder, SeesWeightsThatWereChangedInPlace) {
  const VisitEncoder encoder = small_encoder();
  const at::Tensor ids = at::tensor({5L, 7L, 9L}).view({1, 3});
  const at::Tensor before = encoder.encode_visit(ids);
  encoder.model().weights().at("bert.encoder.layer.0.output.dense.weight").mul_(2);
  EXPECT_GT(largest_difference(before, encoder.encode_visit(ids)), 1e-3);
}

}  // namespace
}  // namespace sequela
