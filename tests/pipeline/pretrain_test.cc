// From prepared folder to bundle to embeddings: what is made, left alone, mended and cleaned up.
#include "sequela/pipeline/pretrain.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class Pretrain : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = std::make_unique<TestFolder>();
    prepare(small_prepare(*files_ / "files"));
  }
  static void TearDownTestSuite() { files_.reset(); }

  PretrainOptions small_run() const {
    return small_pretrain(*files_ / "files", folder_ / "output", folder_ / "model");
  }

  static std::string weights(const PretrainOptions& options) {
    return read_file(options.model + "/model.safetensors");
  }

  inline static std::unique_ptr<TestFolder> files_;
  TestFolder folder_;
};

TEST_F(Pretrain, MakesTheBundleOnceAndCleansUp) {
  const PretrainOptions options = small_run();
  const PretrainReport report = pretrain(options);
  EXPECT_TRUE(report.train.is_finished);
  EXPECT_EQ(report.train.steps, 2);
  for (const char* name : {"config.json", "model.safetensors", "dictionary.msgpack",
                           "ontology.parquet", "subjects.filter", "manifest.json"}) {
    EXPECT_TRUE(fs::exists(options.model + "/" + name)) << name;
  }
  for (const char* name : {"checkpoint-1", "checkpoint-2", "runs", "final"}) {
    EXPECT_FALSE(fs::exists(options.out + "/" + name)) << name;
  }
  EXPECT_TRUE(pretrain(options).is_up_to_date);
}

TEST_F(Pretrain, FreshEmbeddingsHaveTheDeviationThatWasAsked) {
  PretrainOptions options = small_run();
  options.train.max_steps = 1;
  options.train.learning_rate = 1e-12;
  for (const double deviation : {1.0, 0.02}) {
    options.embedding_std = deviation;
    options.out = folder_ / str("output ", deviation);
    options.model = folder_ / str("model ", deviation);
    pretrain(options);
    Motor model = open_bundle(options.model, at::kCPU, Precision::fp32);
    const at::Tensor values = model.parameters().get("transformer.embed_bag.weight").value;
    EXPECT_NEAR(values.std().item<double>(), deviation, 0.03 * deviation);
  }
  options.embedding_std = 0;
  EXPECT_THROW(pretrain(options), ConfigError);
}

TEST_F(Pretrain, KeepsTheOutputWhenAsked) {
  PretrainOptions options = small_run();
  options.keep_output = true;
  pretrain(options);
  for (const char* name : {"checkpoint-2", "runs", "final/model.safetensors"}) {
    EXPECT_TRUE(fs::exists(options.out + "/" + name)) << name;
  }
  EXPECT_EQ(read_file(options.out + "/final/model.safetensors"), weights(options));
  options.train.learning_rate = 1e-3;  // the checkpoints belong to another run
  EXPECT_THROW(pretrain(options), ConfigError);
}

TEST_F(Pretrain, MendsADamagedBundle) {
  const PretrainOptions options = small_run();
  pretrain(options);
  const std::string whole = weights(options);
  write_file(options.model + "/model.safetensors", whole.substr(0, whole.size() - 1));
  EXPECT_FALSE(pretrain(options).is_up_to_date);
  EXPECT_EQ(weights(options), whole);
  for (const char* text : {"{ not json", "[]", "{\"run_key\": 1}"}) {
    write_file(options.model + "/manifest.json", text);
    EXPECT_FALSE(pretrain(options).is_up_to_date);
  }
  EXPECT_TRUE(pretrain(options).is_up_to_date);
}

TEST_F(Pretrain, RefusesWrongOptions) {
  const auto expect_refused = [&](auto change) {
    PretrainOptions options = small_run();
    change(options);
    EXPECT_THROW(pretrain(options), ConfigError);
    EXPECT_FALSE(fs::exists(options.model));
  };
  expect_refused([](PretrainOptions& o) { o.data.clear(); });
  expect_refused([](PretrainOptions& o) { o.device = "tpu"; });
  expect_refused([](PretrainOptions& o) { o.train.accumulate = 0; });
  PretrainOptions options = small_run();
  options.data = folder_ / "no such folder";
  EXPECT_THROW(pretrain(options), FileError);
}

TEST_F(Pretrain, FeaturesLeaveNothingOfAnOlderRun) {
  FeaturesOptions options = small_features(folder_ / "embeddings");
  options.cohort = folder_ / "cohort.csv";
  std::ofstream(options.cohort) << "subject_id,dataset_split,label\n0,train,1\n1,test,0\n";
  const FeaturesReport with_cohort = compute_features(options);
  ASSERT_TRUE(with_cohort.cohort.has_value());
  EXPECT_EQ(with_cohort.cohort->num_samples[0], 1);
  EXPECT_EQ(with_cohort.cohort->num_labels_outside, 78);
  EXPECT_TRUE(fs::exists(options.out + "/valid_embeddings.pt"));  // with 0 rows
  options.cohort.clear();
  EXPECT_FALSE(compute_features(options).is_up_to_date);
  EXPECT_FALSE(fs::exists(options.out + "/train_embeddings.pt"));
  EXPECT_FALSE(fs::exists(options.out + "/.events"));
  EXPECT_TRUE(compute_features(options).is_up_to_date);
}

TEST_F(Pretrain, FeaturesNeedTheOntologyOfAHierarchicalModel) {
  FeaturesOptions options = small_features(folder_ / "embeddings");
  options.model = tutorial_path("motor_model");
  EXPECT_THROW(compute_features(options), ConfigError);
  EXPECT_FALSE(fs::exists(options.out + "/features.parquet"));
  options.ontology = tutorial_path("ontology.parquet");
  EXPECT_EQ(compute_features(options).embed.num_embedded, 80);
}

}  // namespace
}  // namespace sequela
