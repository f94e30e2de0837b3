// CLMBR from records to bundle to embeddings.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <memory>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "sequela/objective/clmbr/clmbr_task.h"
#include "sequela/objective/clmbr/clmbr_training.h"
#include "sequela/pipeline/inspect.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

double figure(const PretrainReport& report, const std::string& name) {
  for (const Figure& one : report.train.figures) {
    if (one.name == name) return one.value;
  }
  return std::nan("");
}

class Clmbr : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = std::make_unique<TestFolder>();
    prepare(small_prepare_clmbr(*files_ / "files"));
  }
  static void TearDownTestSuite() { files_.reset(); }

  static PrepareOptions small_prepare_clmbr(const std::string& out) {
    PrepareOptions options = small_prepare(out);
    options.objective = "clmbr";
    options.objective_values["clmbr-vocab-size"] = 600;
    return options;
  }
  PretrainOptions small_run() const {
    PretrainOptions options =
        small_pretrain(*files_ / "files", folder_ / "output", folder_ / "model");
    options.train.max_steps = 20;
    options.train.eval_every = 20;
    options.train.warmup_steps = 2;
    options.train.learning_rate = 3e-3;
    return options;
  }

  inline static std::unique_ptr<TestFolder> files_;
  TestFolder folder_;
};

TEST_F(Clmbr, LearnsMoreThanHowFrequentCodesAre) {
  PretrainOptions options = small_run();
  options.train.max_steps = 80;
  options.train.eval_every = 40;
  const PretrainReport report = pretrain(options);
  EXPECT_TRUE(report.train.is_finished);
  EXPECT_GT(figure(report, "eval/gain"), 0);
  EXPECT_GT(figure(report, "eval/top10"), figure(report, "eval/top1"));
  const double unigram = figure(report, "eval/unigram_loss");
  EXPECT_NEAR(std::log(figure(report, "eval/perplexity")), unigram - figure(report, "eval/gain"),
              1e-9);
  const ModelConfig config = read_model_config(options.model + "/config.json");
  EXPECT_EQ(config.clmbr_vocab_size, 600);
  EXPECT_FALSE(config.motor.has_value());
  EXPECT_TRUE(pretrain(options).is_up_to_date);
  EXPECT_NE(inspect(options.model).find("600"), std::string::npos);
  const std::string card = read_file(options.model + "/README.md");
  for (const char* text : {"- clmbr\n", "perplexity", "one of 600"})
    EXPECT_NE(card.find(text), std::string::npos) << text;
}

TEST_F(Clmbr, GoesOnAsIfItHadNeverStopped) {
  PretrainOptions options = small_run();
  options.train.max_steps = 8;
  options.train.eval_every = 4;
  options.keep_output = true;
  pretrain(options);
  PretrainOptions stopped = options;
  stopped.out = folder_ / "stopped_output";
  stopped.model = folder_ / "stopped";
  fs::create_directories(stopped.out);
  fs::copy(options.out + "/checkpoint-4", stopped.out + "/checkpoint-4");
  EXPECT_TRUE(pretrain(stopped).train.is_resumed);
  EXPECT_EQ(read_file(stopped.model + "/model.safetensors"),
            read_file(options.model + "/model.safetensors"));
}

TEST_F(Clmbr, RanksGetBatchesByTheirTokens) {
  const std::string data = *files_ / "files";
  const BatchFolder batches = BatchFolder::open(data + "/train_batches");
  Motor model(read_prepared_config(small_run().encoder, data), 1, at::kCPU, Precision::fp32);
  const ClmbrTraining training(model, &batches, nullptr,
                               ClmbrTask::read(data + "/clmbr_task.json"));
  EXPECT_GT(training.num_tokens(0), 1);
  EXPECT_EQ(training.num_tokens(0), batches.num_tokens(0));
}

TEST_F(Clmbr, TheEmbeddingsAreThoseOfTheHiddenStates) {
  const PretrainOptions options = small_run();
  pretrain(options);
  FeaturesOptions features = small_features(folder_ / "embeddings");
  features.model = options.model;
  EXPECT_GT(compute_features(features).embed.num_embedded, 0);
}

TEST_F(Clmbr, AFolderIsForOneObjective) {
  PretrainOptions options = small_run();
  options.objective = "motor";
  EXPECT_THROW(pretrain(options), ConfigError);
  options.objective = "next visit";
  EXPECT_THROW(pretrain(options), ConfigError);
  EXPECT_FALSE(fs::exists(options.model));

  PrepareOptions prepared = small_prepare_clmbr(folder_ / "files");
  prepare(prepared);
  EXPECT_TRUE(prepare(prepared).is_up_to_date);
  prepared.objective = "motor";
  EXPECT_THROW(prepare(prepared), ConfigError);  // it has no clmbr-vocab-size
  prepared.objective_values.clear();
  EXPECT_FALSE(prepare(prepared).is_up_to_date);
  EXPECT_FALSE(fs::exists(prepared.out + "/clmbr_task.json"));
  options.data = prepared.out;
  options.objective = "clmbr";
  EXPECT_THROW(pretrain(options), ConfigError);
  prepared.objective = "next visit";
  EXPECT_THROW(prepare(prepared), ConfigError);
  prepared.objective = "clmbr";
  prepared.objective_values["clmbr-vocab-size"] = 0;
  EXPECT_THROW(prepare(prepared), ConfigError);
}

TEST_F(Clmbr, RefusesWhatIsOfAnotherObjective) {
  PretrainOptions options = small_run();
  options.truth = folder_ / "truth";
  EXPECT_THROW(pretrain(options), ConfigError);
  options = small_run();
  const std::string task = folder_ / "files/clmbr_task.json";
  fs::copy(*files_ / "files", folder_ / "files", fs::copy_options::recursive);
  write_file(task, R"({"clmbr_vocab_size": 10})");  // smaller than that of the batches
  options.data = folder_ / "files";
  EXPECT_THROW(pretrain(options), DataError);
}

TEST_F(Clmbr, FlatDictionariesMakeAModelOfAttentionAlone) {
  PrepareOptions prepared = small_prepare_clmbr(folder_ / "files");
  prepared.meds = tutorial_path("meds");
  prepared.athena.clear();
  prepared.objective_values["clmbr-vocab-size"] = 64;
  prepared.dictionary = tutorial_path("clmbr_model/dictionary.msgpack");
  prepare(prepared);
  PretrainOptions options = small_run();
  options.data = prepared.out;
  options.train.max_steps = 4;
  options.train.eval_every = 4;
  EXPECT_TRUE(pretrain(options).train.is_finished);
  const ModelDir dir = read_model_dir(options.model);
  EXPECT_FALSE(dir.config.encoder.is_hierarchical);
  EXPECT_FALSE(dir.config.encoder.has_hawk);
  EXPECT_EQ(dir.config.encoder.time_columns, TimeColumns::normalized_age);
  FeaturesOptions features = small_features(folder_ / "embeddings");
  features.model = options.model;
  EXPECT_EQ(compute_features(features).embed.num_embedded, 80);

  prepared.batch_format = BatchForm::femr;
  EXPECT_THROW(prepare(prepared), ConfigError);
  prepared.batch_format = BatchForm::compact;
  prepared.objective = "motor";
  prepared.objective_values.clear();
  EXPECT_THROW(prepare(prepared), ConfigError);
}

TEST_F(Clmbr, InspectTellsTheTask) {
  EXPECT_NE(inspect(*files_ / "files").find("clmbr task"), std::string::npos);
  EXPECT_NE(inspect(*files_ / "files/clmbr_task.json").find("600"), std::string::npos);
}

}  // namespace
}  // namespace sequela
