#include "sequela/encoders/bert/bert_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_model.h"
#include "sequela/encoders/bert/bert_weights.h"
#include "sequela/encoders/bert/resize_vocabulary.h"
#include "sequela/io/file.h"
#include "tests/encoders/bert_fixtures.h"
#include "tests/encoders/small_bert.h"
#include "tests/support/files.h"

namespace sequela {
namespace {

std::string message_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(BertFolder, ReadsWhatItWrote) {
  for (const BertKind kind : {BertKind::bert, BertKind::cehr_bert}) {
    BertConfig config = small_bert_config(kind);
    config.include_value_prediction = kind == BertKind::cehr_bert;
    config.hidden_act = BertActivation::gelu_tanh;
    const NamedTensors weights = random_bert_weights(config, 3);
    const std::string path = temporary_path("bert_folder");
    write_bert_folder(path, config, weights);
    const BertFolder back = open_bert_folder(path);
    EXPECT_EQ(back.config.kind, kind);
    EXPECT_EQ(back.config.hidden_act, BertActivation::gelu_tanh);
    EXPECT_EQ(back.config.include_value_prediction, config.include_value_prediction);
    EXPECT_TRUE(back.has_pooler());
    EXPECT_TRUE(back.has_mlm_head());
    ASSERT_EQ(back.weights.size(), weights.size());
    for (const auto& [name, tensor] : weights) {
      EXPECT_TRUE(at::equal(tensor, back.weights.at(name))) << name;
    }
  }
}

TEST(BertFolder, NamesTheTensorThatDoesNotFit) {
  const BertConfig config = small_bert_config();
  const std::string path = temporary_path("bert_folder_odd");
  write_bert_folder(path, config, random_bert_weights(config, 3));
  BertConfig other = config;
  other.intermediate_size = 50;
  other.write(path + "/config.json");
  const std::string message = message_of([&] { open_bert_folder(path); });
  EXPECT_NE(message.find("'bert.encoder.layer.0.intermediate.dense.weight' has shape [48, 32]"),
            std::string::npos)
      << message;
  other = config;
  other.num_hidden_layers = 3;
  other.write(path + "/config.json");
  EXPECT_NE(
      message_of([&] { open_bert_folder(path); }).find("has no tensor 'bert.encoder.layer.2."),
      std::string::npos);
}

TEST(BertFolder, SaysWhatIsMissing) {
  EXPECT_NE(message_of([] { open_bert_folder("/nowhere/at/all"); }).find("is not a folder"),
            std::string::npos);
  const std::string path = temporary_path("bert_folder_empty");
  std::filesystem::create_directories(path);
  EXPECT_NE(message_of([&] { open_bert_folder(path); }).find("config.json"), std::string::npos);
  small_bert_config().write(path + "/config.json");
  EXPECT_NE(message_of([&] { open_bert_folder(path); }).find("model.safetensors"),
            std::string::npos);
}

TEST(BertFolder, RefusesOtherArchitecturesAndWrongSettings) {
  const std::string path = temporary_path("config.json");
  const std::pair<const char*, const char*> cases[] = {
      {R"({"model_type": "gpt2"})", "model_type"},
      {R"({"hidden_size": 10, "num_attention_heads": 4})", "hidden_size"},
      {R"({"hidden_size": "big"})", "hidden_size"},
      {R"({"hidden_act": "swish"})", "hidden_act"},
      {R"({"position_embedding_type": "relative_key"})", "position_embedding_type"},
      {R"({"is_decoder": true})", "is_decoder"},
      {R"({"model_type": "bert", "add_cross_attention": true})", "add_cross_attention"},
      {R"({"model_type": "cehrbert", "is_decoder": true})", "is_decoder"},
      {R"({"vocab_size": 0})", "vocab_size"},
      {R"({"vocab_size": 1e18})", "vocab_size"},
      {R"({"pad_token_id": 99999999})", "pad_token_id"},
      {R"([1, 2])", "object"},
      {R"({"hidden_size": )", "config.json"}};
  for (const auto& [text, word] : cases) {
    write_file(path, text);
    const std::string message = message_of([&] { BertConfig::read(path); });
    EXPECT_NE(message.find(word), std::string::npos) << text << " -> " << message;
  }
}

TEST(BertFolder, ADecoderIsRefusedWithItsReason) {
  const std::string path = temporary_path("bert_decoder");
  write_bert_folder(path, small_bert_config(), random_bert_weights(small_bert_config(), 1));
  std::string config = read_file(path + "/config.json");
  config.insert(config.find('{') + 1, "\"is_decoder\": false, ");
  write_file(path + "/config.json", config);
  EXPECT_NO_THROW(open_bert_folder(path));
  config.replace(config.find("false"), 5, "true");
  write_file(path + "/config.json", config);
  const std::string message = message_of([&] { open_bert_folder(path); });
  EXPECT_NE(message.find("is_decoder is true: a decoder attends to the left only"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("Fix: "), std::string::npos) << message;
}

TEST(BertFolder, SaysWhenAVocabularyDoesNotFit) {
  BertFolder folder{.path = "model", .config = small_bert_config()};
  EXPECT_NO_THROW(check_vocabulary_fits(folder, 30));
  EXPECT_NE(message_of([&] { check_vocabulary_fits(folder, 31); }).find("resize_vocabulary"),
            std::string::npos);
}

TEST(ResizeVocabulary, FillsNewRowsFromNeighboursOrTheMean) {
  BertConfig config = small_bert_config();
  NamedTensors weights = random_bert_weights(config, 5);
  const at::Tensor old = weights.at(word_embeddings_name(config));
  const ResizeReport report =
      resize_vocabulary(config, weights, 33, {.neighbours = {{4, 6}, {}, {9}}});
  const at::Tensor table = weights.at(word_embeddings_name(config));
  EXPECT_EQ(config.vocab_size, 33);
  EXPECT_EQ(report.num_from_neighbours, 2);
  EXPECT_EQ(report.num_from_mean, 1);
  EXPECT_TRUE(at::equal(table.narrow(0, 0, 30), old));
  EXPECT_LE(largest_difference(table[30], (old[4] + old[6]) / 2), 1e-6);
  EXPECT_LE(largest_difference(table[31], old.mean(0)), 1e-6);
  EXPECT_TRUE(at::equal(table[32], old[9]));
  EXPECT_EQ(weights.at("cls.predictions.bias").size(0), 33);
  EXPECT_NO_THROW(BertModel(config, weights));
}

TEST(ResizeVocabulary, IsRepeatableAtRandomAndCuts) {
  BertConfig config = small_bert_config(), same = config;
  NamedTensors weights = random_bert_weights(config, 5), twin = weights;
  const ResizeOptions options{.init = NewCodeInit::random, .seed = 11};
  EXPECT_EQ(resize_vocabulary(config, weights, 40, options).num_random, 10);
  resize_vocabulary(same, twin, 40, options);
  EXPECT_TRUE(
      at::equal(weights.at(word_embeddings_name(config)), twin.at(word_embeddings_name(config))));
  resize_vocabulary(config, weights, 12);
  EXPECT_EQ(weights.at(word_embeddings_name(config)).size(0), 12);
  EXPECT_THROW(resize_vocabulary(config, weights, 0), ConfigError);
  EXPECT_THROW(resize_vocabulary(config, weights, 13, {.neighbours = {{12}}}), DataError);
}

}  // namespace
}  // namespace sequela
