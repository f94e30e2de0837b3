// What a second run says of what the first one left: up to date wherever the inputs lie and
// whenever they were touched, or in words why it is made anew.
#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/log.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/manifest_of.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class WhyAnew : public testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, const std::string& text) { log_ += text + "\n"; });
  }
  void TearDown() override { set_log_sink(nullptr); }

  // Whether the log has said such a line since the last call.
  bool said(const std::string& line) {
    const bool found = log_.find(line + "\n") != std::string::npos;
    EXPECT_TRUE(found) << "'" << line << "' is not in:\n" << log_;
    log_.clear();
    return found;
  }

  // Elsewhere and with other times.
  std::string copy_of(const std::string& folder) {
    const std::string copy = folder_ / str("copy", ++num_copies_);
    fs::copy(folder, copy, fs::copy_options::recursive);
    return copy;
  }

  TestFolder folder_;
  std::string log_;
  int num_copies_ = 0;
};

TEST_F(WhyAnew, PrepareAndPretrain) {
  PrepareOptions options = small_prepare(folder_ / "files");
  options.meds = copy_of(options.meds);
  prepare(options);
  for (const char* name : {"ontology/ontology.parquet", "split.csv", "motor_task.json",
                           "tokenizer/dictionary.msgpack", "train_batches", "val_batches"}) {
    const Json artifact = artifact_of(options.out, name);
    EXPECT_EQ(artifact.at("recipe").at("command"), "prepare");
    EXPECT_FALSE(artifact.at("files").empty()) << name;
  }
  EXPECT_TRUE(artifact_of(options.out, ".events").at("files").empty());

  options.meds = copy_of(options.meds);
  EXPECT_TRUE(prepare(options).is_up_to_date);
  fs::remove(options.meds + "/metadata/codes.parquet");
  prepare(options);
  EXPECT_TRUE(said("ontology/ontology.parquet: made, since the metadata is gone"));
  options.tokens_per_batch = 256;
  prepare(options);
  EXPECT_TRUE(said("train_batches: made, since tokens-per-batch changed from 512 to 256"));

  PretrainOptions training = small_pretrain(options.out, folder_ / "out", folder_ / "model");
  pretrain(training);
  const Json artifact = artifact_of(training.model, "pretrain");
  EXPECT_EQ(artifact.at("files").size(), 5u);
  EXPECT_EQ(artifact.at("recipe").at("parameters").at("n_layers"), "2");
  EXPECT_EQ(artifact.at("report").at("steps"), 2);
  training.data = copy_of(training.data);
  EXPECT_TRUE(pretrain(training).is_up_to_date);
  training.encoder.n_layers = 4;
  pretrain(training);
  EXPECT_TRUE(said(training.model + ": made anew, since n_layers changed from 2 to 4"));
}

TEST_F(WhyAnew, Features) {
  FeaturesOptions options = small_features(folder_ / "embeddings");
  compute_features(options);
  EXPECT_EQ(artifact_of(options.out, "features").at("files").size(), 3u);

  options.meds = copy_of(options.meds);
  options.model = copy_of(options.model);
  options.labels = folder_ / "renamed.parquet";
  fs::copy_file(tutorial_path("labels.parquet"), options.labels);
  EXPECT_TRUE(compute_features(options).is_up_to_date);
  EXPECT_TRUE(said(options.out + " is up to date"));
  options.tokens_per_batch = 4'096;
  compute_features(options);
  EXPECT_TRUE(said(options.out + ": made anew, since tokens-per-batch changed from 8192 to 4096"));
  fs::rename(options.meds + "/data/0.parquet", options.meds + "/data/1.parquet");
  compute_features(options);
  EXPECT_TRUE(
      said(options.out + ": made anew, since data/1.parquet is new, and 1 other file of the meds"));
}

TEST_F(WhyAnew, AnOlderVersionsManifestIsNoError) {
  const FeaturesOptions options = small_features(folder_ / "embeddings");
  compute_features(options);
  write_file(options.out + "/manifest.json",
             R"({"version": "0.1.0", "run_key": "ab", "files": {"features.npz": "cd"}})");
  EXPECT_FALSE(compute_features(options).is_up_to_date);
  EXPECT_TRUE(said(options.out + ": made anew, since an older version of Sequela made it"));
  EXPECT_TRUE(compute_features(options).is_up_to_date);
}

}  // namespace
}  // namespace sequela
