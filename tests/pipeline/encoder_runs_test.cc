// Runs with an encoder that the test makes: what a run depends on, and what inspect says.
#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/torch_file.h"
#include "sequela/pipeline/encode.h"
#include "sequela/pipeline/inspect.h"
#include "tests/support/packed_files.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

BertConfig tiny_config() {
  BertConfig config;
  config.vocab_size = 40;
  config.hidden_size = 16;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 2;
  config.intermediate_size = 32;
  config.max_position_embeddings = 64;
  return config;
}

class EncoderRuns : public testing::Test {
 protected:
  void SetUp() override {
    write_bert_folder(folder_ / "encoder", tiny_config(), random_bert_weights(tiny_config(), 1));
    write_athena(folder_ / "athena", "A");
    options_.model = folder_ / "encoder";
    options_.out = folder_ / "out";
    options_.extract_code_embeddings = true;
  }
  static void write_athena(const std::string& folder, const std::string& name) {
    fs::create_directories(folder);
    write_file(folder + "/CONCEPT.csv",
               "concept_id\tconcept_name\tvocabulary_id\tconcept_code\tstandard_concept\n1\t" +
                   name + "\tV\ta\tS\n");
    write_file(folder + "/CONCEPT_RELATIONSHIP.csv",
               "concept_id_1\tconcept_id_2\trelationship_id\n");
    write_file(folder + "/CONCEPT_ANCESTOR.csv",
               "ancestor_concept_id\tdescendant_concept_id\tmin_levels_of_separation\n");
  }
  static bool says(const std::string& path, const std::string& part) {
    const std::string text = inspect(path);
    EXPECT_NE(text.find(part), std::string::npos) << text;
    return text.find(part) != std::string::npos;
  }

  TestFolder folder_;
  EncodeOptions options_;
};

TEST_F(EncoderRuns, AthenaCountsByItsContentNotItsPath) {
  options_.athena = folder_ / "athena";
  EXPECT_FALSE(encode(options_).is_up_to_date);
  EXPECT_TRUE(encode(options_).is_up_to_date);
  fs::rename(folder_ / "athena", folder_ / "moved");
  options_.athena = folder_ / "moved";
  EXPECT_TRUE(encode(options_).is_up_to_date);
  write_athena(folder_ / "moved", "B");
  EXPECT_FALSE(encode(options_).is_up_to_date);
  options_.athena = folder_ / "nowhere";
  EXPECT_THROW(encode(options_), Error);
}

TEST_F(EncoderRuns, InspectKnowsAnEncoderAndWhatEncodeWrote) {
  says(folder_ / "encoder", "BERT encoder");
  says(folder_ / "encoder", "rows of the code table  40");
  write_file(folder_ / "codes.csv", "code\na\nb\na\n");
  std::string lines = "[PAD]\n[UNK]\n";
  for (int i = 2; i < 40; ++i) lines += i == 2 ? "a\n" : str("code", i, "\n");
  write_file(folder_ / "encoder/vocab.txt", lines);
  says(folder_ / "encoder", "40 codes");
  options_.input = folder_ / "codes.csv";
  encode(options_);
  says(folder_ / "out", "embeddings.parquet: embeddings");
  says(folder_ / "out", "code_embeddings.parquet: embeddings");
  says(folder_ / "out/embeddings.pt", "PyTorch");
  says(folder_ / "encoder/model.safetensors", "tensors");
}

TEST_F(EncoderRuns, InspectKnowsAnEncoderOfOlderWeights) {
  fs::rename(folder_ / "encoder/model.safetensors", folder_ / "kept");
  EXPECT_THROW(inspect(folder_ / "encoder"), FileError);
}

TEST(InspectForms, LabelsCohortsAndAthenaInAnyForm) {
  TestFolder folder;
  const auto says = [](const std::string& path, const std::string& part) {
    EXPECT_NE(inspect(path).find(part), std::string::npos) << inspect(path);
  };
  write_file(folder / "labels.csv", "subject_id,prediction_time,boolean_value\n1,2020-01-01,1\n");
  says(folder / "labels.csv", ": labels");
  fs::create_directories(folder / "shards/train");
  write_parquet(
      folder / "shards/train/0.parquet",
      {{"subject_id", std::vector<int64_t>{1, 2}, {}},
       {.name = "prediction_time", .values = std::vector<int64_t>{5, 6}, .is_timestamp = true}});
  says(folder / "shards", ": labels");
  write_file(folder / "cohort.csv", "SUBJECT_ID;DATASET_SPLIT;LABEL\n1;train;0\n2;;1\n");
  says(folder / "cohort.csv", ": cohort");
  says(folder / "cohort.csv", "rows without a split  1");
  write_parquet(folder / "splits.parquet", {{"subject_id", std::vector<int64_t>{1}, {}},
                                            {"split", std::vector<std::string>{"tuning"}, {}}});
  says(folder / "splits.parquet", ": cohort");
  write_file(folder / "split.csv", "subject_id,split_name\n1,train\n2,test\n");
  says(folder / "split.csv", ": split");
  write_file(folder / "athena.zip", zipped({{"x/CONCEPT.csv", "a"}}));
  says(folder / "athena.zip", "Athena vocabulary download");
  fs::create_directories(folder / "empty");
  EXPECT_THROW(inspect(folder / "empty"), ConfigError);
}

}  // namespace
}  // namespace sequela
