// What a stage leaves behind when it fails on bad input: no folder that it made itself, and all of
// what was there before.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sequela/core/error.h"
#include "sequela/pipeline/compare.h"
#include "sequela/pipeline/encode.h"
#include "sequela/pipeline/pretrain_mlm.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class FailedRun : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "meds/data");
    std::ofstream(folder_ / "meds/data/0.parquet") << "damaged";
  }

  // `run` takes the output folder and must throw an Error.
  template <class Run>
  void expect_nothing_left(Run run) {
    const std::string fresh = folder_ / "new/deep/out";
    EXPECT_THROW(run(fresh), Error);
    EXPECT_FALSE(fs::exists(folder_ / "new"));

    const std::string mine = folder_ / "mine";
    fs::create_directories(mine);
    EXPECT_THROW(run(mine), Error);
    EXPECT_TRUE(fs::exists(mine));

    const std::string kept = mine + "/notes.txt";
    std::ofstream(kept) << "notes";
    EXPECT_THROW(run(mine), Error);
    EXPECT_TRUE(fs::exists(kept));
    fs::remove_all(mine);
  }

  TestFolder folder_;
};

TEST_F(FailedRun, Prepare) {
  expect_nothing_left([&](const std::string& out) {
    PrepareOptions options = small_prepare(out);
    options.meds = folder_ / "meds";
    prepare(options);
  });
}

TEST_F(FailedRun, Pretrain) {
  const std::string data = folder_ / "files";
  prepare(small_prepare(data));
  fs::remove_all(data + "/val_batches");
  expect_nothing_left(
      [&](const std::string& out) { pretrain(small_pretrain(data, out, folder_ / "model")); });
}

TEST_F(FailedRun, PretrainMlm) {
  expect_nothing_left([&](const std::string& out) {
    PretrainMlmOptions options;
    options.meds = folder_ / "meds";
    options.out = out;
    options.model = folder_ / "model";
    pretrain_mlm(options);
  });
}

TEST_F(FailedRun, Features) {
  expect_nothing_left([&](const std::string& out) {
    FeaturesOptions options = small_features(out);
    options.meds = folder_ / "meds";
    compute_features(options);
  });
}

TEST_F(FailedRun, Encode) {
  const std::string input = folder_ / "input.csv";
  std::ofstream(input) << "no,column,known\n1,2,3\n";
  expect_nothing_left([&](const std::string& out) {
    EncodeOptions options;
    options.model = reference_path("bert/a_bert/model_st");
    options.input = input;
    options.out = out;
    encode(options);
  });
}

TEST_F(FailedRun, Compare) {
  expect_nothing_left([&](const std::string& out) {
    CompareOptions options;
    options.meds = folder_ / "meds";
    options.labels = tutorial_path("labels.parquet");
    options.pretrained = reference_path("bert/a_bert/model_st");
    options.out = out;
    compare(options);
  });
}

TEST(RunKeys, AnotherOntologyInTheBundleIsAnotherRun) {
  const TestFolder folder;
  FeaturesOptions options = small_features(folder / "out");
  const std::string model = folder / "model";
  std::filesystem::copy(options.model, model, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
  }
  options.model = model;
  EXPECT_FALSE(compute_features(options).is_up_to_date);
  EXPECT_TRUE(compute_features(options).is_up_to_date);
  write_file(model + "/ontology.parquet", "another");
  EXPECT_FALSE(compute_features(options).is_up_to_date);
}

}  // namespace
}  // namespace sequela
