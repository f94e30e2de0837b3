// From a MEDS data set to an encoder's folder that other programs open.
#include "sequela/pipeline/pretrain_mlm.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/encode.h"
#include "sequela/train/checkpoint.h"
#include "tests/support/manifest_of.h"
#include "tests/support/test_folder.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class PretrainMlm : public testing::Test {
 protected:
  void SetUp() override { write_visit_records(folder_ / "meds"); }

  PretrainMlmOptions small_run(const std::string& name, BertKind kind = BertKind::cehr_bert) const {
    PretrainMlmOptions options;
    options.meds = folder_ / "meds";
    options.out = folder_ / (name + "_output");
    options.model = folder_ / name;
    options.encoder = BertConfig::defaults(kind);
    options.encoder.hidden_size = 32;
    options.encoder.num_attention_heads = 4;
    options.encoder.num_hidden_layers = 2;
    options.encoder.intermediate_size = 64;
    options.data.val_fraction = 0.25;
    options.data.vocabulary.max_size = 500;
    options.mlm.max_length = 128;
    options.mlm.batch_tokens = 1'024;
    options.train.learning_rate = 3e-3;
    options.train.warmup_steps = 5;
    options.train.max_steps = 30;
    options.train.eval_every = 10;
    options.train.keep_checkpoints = 10;
    options.keep_output = true;
    options.precision = Precision::fp32;
    options.num_threads = 1;
    return options;
  }

  static std::string weights(const PretrainMlmOptions& options) {
    return read_file(options.model + "/model.safetensors");
  }

  TestFolder folder_;
};

TEST_F(PretrainMlm, LearnsAndWritesAFolderThatOpens) {
  PretrainMlmOptions options = small_run("cehr");
  options.data.with_values = true;
  const PretrainMlmReport report = pretrain_mlm(options);
  ASSERT_TRUE(report.train.is_finished);
  ASSERT_EQ(report.train.eval_losses.size(), 3U);
  EXPECT_LT(report.train.eval_losses.back().second, report.train.eval_losses.front().second - 0.3);
  EXPECT_GT(report.num_validation_subjects, 0);
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "manifest.json",
                           "cehrbert_lab_stats.json", "concept_name_mapping.json"}) {
    EXPECT_TRUE(fs::exists(options.model + "/" + name)) << name;
  }
  const BertFolder folder = open_bert_folder(options.model);
  EXPECT_EQ(folder.config.kind, BertKind::cehr_bert);
  EXPECT_EQ(folder.config.vocab_size, report.vocab_size);
  EXPECT_TRUE(folder.config.include_value_prediction);
  EXPECT_FALSE(folder.config.lab_token_ids.empty());
  EXPECT_TRUE(folder.has_mlm_head());
  const CehrTokenizer tokenizer = CehrTokenizer::read(options.model);
  EXPECT_EQ(tokenizer.vocabulary().size(), report.vocab_size);
  EXPECT_FALSE(tokenizer.lab_stats().empty());
  EXPECT_EQ(artifact_of(options.model, "pretrain mlm").at("files").size(), 6u);
  EXPECT_TRUE(pretrain_mlm(options).is_up_to_date);

  const std::string card = read_file(options.model + "/README.md");
  EXPECT_NE(card.find("`sequela pretrain --objective mlm`, version "), std::string::npos) << card;
  EXPECT_NE(card.find("## How well it does"), std::string::npos) << card;
}

TEST_F(PretrainMlm, BertOverCodesIsEncodedWith) {
  PretrainMlmOptions options = small_run("bert", BertKind::bert);
  options.data.records.with_visit_type = true;  // encode takes these codes in, too
  const PretrainMlmReport report = pretrain_mlm(options);
  EXPECT_LT(report.train.eval_losses.back().second, report.train.eval_losses.front().second - 0.3);
  EXPECT_EQ(CodeVocabulary::read_file(options.model + "/vocab.txt").num_codes(),
            CodeVocabulary::read_file(options.model + "/vocab.json").num_codes());
  EncodeOptions encoding;
  encoding.model = options.model;
  encoding.meds = options.meds;
  encoding.visits.rule = VisitRule::day;
  encoding.visits.max_codes = 128;
  encoding.out = folder_ / "embeddings";
  const EncodeReport encoded = encode(encoding);
  EXPECT_EQ(encoded.width, 32);
  ASSERT_TRUE(encoded.mapping);
  EXPECT_GT(encoded.mapping->coverage(), 0.9);
}

TEST_F(PretrainMlm, GoesOnFromACheckpointToTheSameBytes) {
  PretrainMlmOptions whole = small_run("whole");
  whole.train.accumulate = 2;
  pretrain_mlm(whole);
  PretrainMlmOptions resumed = whole;
  resumed.out = folder_ / "resumed_output";
  resumed.model = folder_ / "resumed";
  fs::create_directories(resumed.out);
  fs::copy(checkpoint_path(whole.out, 10), checkpoint_path(resumed.out, 10),
           fs::copy_options::recursive);
  const PretrainMlmReport report = pretrain_mlm(resumed);
  EXPECT_TRUE(report.train.is_resumed);
  EXPECT_EQ(report.train.steps, 30);
  EXPECT_EQ(weights(resumed), weights(whole));
}

TEST_F(PretrainMlm, RefusesWrongOptions) {
  const auto expect_refused = [&](auto change) {
    PretrainMlmOptions options = small_run("wrong");
    change(options);
    EXPECT_THROW(pretrain_mlm(options), ConfigError);
    EXPECT_FALSE(fs::exists(options.model));
  };
  expect_refused([](PretrainMlmOptions& o) { o.meds.clear(); });
  expect_refused([](PretrainMlmOptions& o) { o.mlm.batch_tokens = 100; });
  expect_refused([](PretrainMlmOptions& o) { o.encoder.num_attention_heads = 5; });
  expect_refused([](PretrainMlmOptions& o) {
    o.encoder.kind = BertKind::bert;
    o.data.with_values = true;
  });
}

}  // namespace
}  // namespace sequela
