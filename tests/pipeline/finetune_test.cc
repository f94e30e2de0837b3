// Fine-tuning from a bundle to a bundle with predictions: what is learned and repeated.
#include "sequela/pipeline/finetune.h"

#include <ATen/ATen.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/evaluation/feature_rows.h"
#include "sequela/evaluation/probe.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "sequela/pipeline/features.h"
#include "sequela/pipeline/inspect.h"
#include "sequela/train/checkpoint.h"
#include "tests/pipeline/finetune_run.h"
#include "tests/support/manifest_of.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

using Finetune = FinetuneTest;

std::string weights_of(const FinetuneOptions& options) {
  return read_file(options.out + "/model.safetensors");
}

FeatureRows features_of(const FinetuneOptions& options, const std::string& model,
                        const std::string& labels, const std::string& out) {
  FeaturesOptions wanted;
  wanted.meds = options.meds;
  wanted.model = model;
  wanted.labels = labels;
  wanted.out = out;
  wanted.tokens_per_batch = options.tokens_per_batch;
  wanted.device = "cpu";
  compute_features(wanted);
  return read_feature_rows(out + "/features.parquet");
}

TEST_F(Finetune, AnUntrainedHeadIsTheProbeOfTheFeatures) {
  FinetuneOptions options = small_run("tuned");
  options.tune = Tuning::head;
  options.val_fraction = 0;
  options.train.learning_rate = 1e-12;
  options.train.max_steps = 1;
  finetune(options);
  const FeatureRows fitted =
      features_of(options, options.model, options.labels, folder_ / "fitted");
  std::vector<uint8_t> outcomes;
  for (const Label& label : labels(1, 50)) outcomes.push_back(label.value > 0);
  const Probe probe = fit_probe(fitted.embeddings, outcomes, fitted.subject_ids, {});
  const FeatureRows others =
      features_of(options, options.model, options.predict, folder_ / "others");
  const std::vector<double> expected = probe.model.predict(others.embeddings);
  const std::vector<Row> rows = read_predictions(options.predictions);
  ASSERT_EQ(rows.size(), expected.size());
  double lowest = 1, highest = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].subject_id, others.subject_ids[i]);
    EXPECT_EQ(rows[i].time_us, others.prediction_times_us[i]);
    EXPECT_NEAR(rows[i].probability, expected[i], 1e-5);
    EXPECT_EQ(rows[i].predicted, rows[i].probability >= 0.5);
    lowest = std::min(lowest, expected[i]);
    highest = std::max(highest, expected[i]);
  }
  EXPECT_GT(highest - lowest, 1e-3);
}

TEST_F(Finetune, LearnsFortyLabelsByHeart) {
  FinetuneOptions options = small_run("tuned");
  std::vector<Label> few = labels(1, 14);
  few.resize(40);
  options.labels = options.predict = label_file("forty.parquet", few);
  options.val_fraction = 0;
  options.start = ClassifierStart::prevalence;
  options.train.learning_rate = 3e-3;
  options.train.epochs = 60;
  options.train.eval_every = 1'000;
  const FinetuneReport report = finetune(options);
  EXPECT_EQ(report.num_train, 40);
  EXPECT_EQ(report.num_validation, 0);
  EXPECT_EQ(report.num_predicted, 40);
  EXPECT_EQ(report.auroc, 1);
  // Not by its head alone.
  options.tune = Tuning::head;
  options.out = folder_ / "head";
  EXPECT_LT(finetune(options).auroc, 0.95);
}

TEST_F(Finetune, ARestartGivesTheSameBytes) {
  FinetuneOptions options = small_run("whole");
  options.keep_output = true;
  options.train.keep_checkpoints = 100;
  options.train.eval_every = 2;
  options.train.patience = 0;
  const FinetuneReport whole = finetune(options);
  const std::vector<int64_t> steps = list_checkpoints(options.out + "_output");
  ASSERT_GE(steps.size(), 4u);
  for (const int64_t last : {steps[0], steps[2]}) {
    FinetuneOptions again = options;
    again.out = folder_ / str("from_", last);
    for (const int64_t step : steps) {
      if (step > last) continue;
      fs::create_directories(again.out + "_output");
      fs::copy(checkpoint_path(options.out + "_output", step),
               checkpoint_path(again.out + "_output", step));
    }
    again.predictions = again.out + ".parquet";
    const FinetuneReport report = finetune(again);
    EXPECT_TRUE(report.train.is_resumed);
    EXPECT_EQ(report.train.best_step, whole.train.best_step);
    EXPECT_EQ(weights_of(again), weights_of(options));
    EXPECT_EQ(read_file(again.predictions), read_file(options.predictions));
  }
  EXPECT_TRUE(finetune(options).is_up_to_date);
}

TEST_F(Finetune, TheBundlePredictsOnItsOwn) {
  const FinetuneOptions options = small_run("tuned");
  const FinetuneReport report = finetune(options);
  EXPECT_EQ(report.num_predicted, 90);
  EXPECT_FALSE(fs::exists(options.out + "_output/checkpoint-0"));
  const Json told = artifact_of(options.out, "finetune").at("report");
  EXPECT_EQ(told.at("task"), "train");
  EXPECT_EQ(told.at("prevalence"), report.prevalence);

  EXPECT_NE(inspect(options.out).find("classifier"), std::string::npos);

  FinetuneOptions alone;
  alone.meds = options.meds;
  alone.model = options.out;
  alone.predict = options.predict;
  alone.predictions = folder_ / "alone.parquet";
  alone.tokens_per_batch = options.tokens_per_batch;
  alone.device = "cpu";
  EXPECT_EQ(finetune(alone).auroc, report.auroc);
  EXPECT_EQ(read_file(alone.predictions), read_file(options.predictions));
  EXPECT_FALSE(fs::exists(alone.predictions + "_output"));

  alone.model = options.model;
  EXPECT_THROW(finetune(alone), FileError);
}

// A head alone leaves the backbone, and the pretraining head with it; what changes it does not.
TEST_F(Finetune, TheBundleHasTheBackboneThatItWasTrainedWith) {
  FinetuneOptions options = small_run("head");
  options.tune = Tuning::head;
  finetune(options);
  const auto embeddings = [&](const std::string& model) {
    return features_of(options, model, options.predict, folder_ / "features").embeddings.values;
  };
  const std::vector<float> before = embeddings(options.model);
  EXPECT_EQ(embeddings(options.out), before);
  EXPECT_TRUE(read_model_dir(options.out).config.motor.has_value());

  options.tune = Tuning::all;
  options.out = folder_ / "all";
  options.val_fraction = 0;
  finetune(options);
  EXPECT_NE(embeddings(options.out), before);
  EXPECT_FALSE(read_model_dir(options.out).config.motor.has_value());
}

TEST_F(Finetune, ALabelSeesNothingAfterItsTime) {
  FinetuneOptions options = small_run("tuned");
  finetune(options);
  const int64_t time_us = year_us(2000) + 180 * kMicrosPerDay;
  MedsRows cut;
  const MedsRows all = finetune_records();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all.times[i] <= time_us) cut.add(all.subjects[i], all.times[i], all.codes[i]);
  }
  ASSERT_LT(cut.size(), all.size());
  write_rows(folder_ / "cut", cut);
  std::vector<Label> at_the_cut;
  for (const Label& label : labels(51, 80)) {
    if (label.prediction_time_us == time_us) at_the_cut.push_back(label);
  }
  FinetuneOptions alone;
  alone.model = options.out;
  alone.predict = label_file("at_the_cut.parquet", at_the_cut);
  alone.predictions = folder_ / "alone.parquet";
  alone.tokens_per_batch = options.tokens_per_batch;
  alone.device = "cpu";
  alone.meds = options.meds;
  finetune(alone);
  const std::vector<Row> whole = read_predictions(alone.predictions);
  alone.meds = folder_ / "cut";
  finetune(alone);
  const std::vector<Row> rows = read_predictions(alone.predictions);
  ASSERT_EQ(rows.size(), 30u);
  for (size_t i = 0; i < rows.size(); ++i)
    EXPECT_NEAR(rows[i].probability, whole[i].probability, 1e-6);
}

TEST_F(Finetune, LowRankChangesTouchTheProjectionsAlone) {
  FinetuneOptions options = small_run("tuned");
  options.tune = Tuning::lora;
  options.lora_rank = 3;
  options.val_fraction = 0;
  options.train.learning_rate = 1e-2;
  const FinetuneReport report = finetune(options);
  EXPECT_EQ(report.num_predicted, 90);
  const ModelDir before = read_model_dir(options.model), after = read_model_dir(options.out);
  int num_changed = 0;
  for (const Parameter& item : after.parameters.items) {
    const at::Tensor change = item.value - before.parameters.get(item.name).value;
    if (change.abs().max().item<double>() == 0) continue;
    EXPECT_EQ(at::linalg_matrix_rank(change, 1e-4 * change.norm().item<double>()).item<int64_t>(),
              3)
        << item.name;
    ++num_changed;
  }
  EXPECT_EQ(num_changed, 7);  // [in, out] of two layers and a hawk layer's three
}

TEST_F(Finetune, SplitsSayWhichSideASubjectIsOn) {
  FinetuneOptions options = small_run("tuned");
  options.splits = folder_ / "splits.csv";
  std::ofstream file(options.splits);
  file << "subject_id,split\n";
  for (int64_t subject = 1; subject <= 78; ++subject) {
    const char* split = subject <= 40 ? "train" : subject <= 60 ? "tuning" : "held_out";
    file << subject << "," << split << "\n";
  }
  file.close();
  options.labels = label_file("all.parquet", labels(1, 80));
  options.predict.clear();
  const FinetuneReport report = finetune(options);
  EXPECT_EQ(report.num_train, 120);
  EXPECT_EQ(report.num_validation, 60);
  EXPECT_EQ(report.num_predicted, 54);
  const std::vector<Row> rows = read_predictions(options.predictions);
  EXPECT_EQ(rows.front().subject_id, 61);
  EXPECT_EQ(rows.back().subject_id, 78);
}

TEST_F(Finetune, KeepsTheBestOfItsStartAndItsEpochs) {
  FinetuneOptions options = small_run("tuned");
  options.train.learning_rate = 1;  // ruins it at once
  options.train.max_gradient_norm = 0;
  const FinetuneReport report = finetune(options);
  EXPECT_EQ(report.train.best_step, 0);
  EXPECT_EQ(report.train.eval_losses.front().second, report.train.best_loss);
  EXPECT_GT(report.train.eval_losses.size(), 1u);
}

}  // namespace
}  // namespace sequela
