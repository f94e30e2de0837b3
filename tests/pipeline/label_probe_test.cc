// Probes at evaluations: what they find, what picks the best checkpoint, what is refused.
#include "sequela/pipeline/yardsticks/label_probe.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/split.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/pipeline/yardsticks/history_recall.h"
#include "sequela/synth/synth.h"
#include "sequela/train/checkpoint.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class Probes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    at::set_num_threads(1);
    files_ = std::make_unique<TestFolder>();
    SynthOptions records;
    records.num_subjects = 500;
    records.folder = *files_ / "records";
    synth(records);
    PrepareOptions options;
    options.meds = *files_ / "records/meds";
    options.athena = *files_ / "records/athena";
    options.out = *files_ / "files";
    options.vocab_size = 4'096;
    options.num_tasks = 1'024;
    options.final_layer_size = 32;
    options.tokens_per_batch = 4'096;
    options.val_fraction = 0.4;
    prepare(options);
  }
  static void TearDownTestSuite() { files_.reset(); }

  PretrainOptions small_run(const std::string& name) const {
    PretrainOptions options;
    options.data = *files_ / "files";
    options.out = folder_ / (name + "_output");
    options.model = folder_ / name;
    options.encoder.hidden_size = 32;
    options.encoder.intermediate_size = 64;
    options.encoder.n_heads = 2;
    options.encoder.n_layers = 2;
    options.train.learning_rate = 1e-3;
    options.train.warmup_steps = 1;
    options.train.max_steps = 3;
    options.train.accumulate = 1;
    options.train.eval_every = 1;
    options.train.keep_checkpoints = 10;
    options.precision = Precision::fp32;
    options.device = "cpu";
    options.num_threads = 1;
    options.keep_output = true;
    options.meds = *files_ / "records/meds";
    options.probes = {*files_ / "records/labels/readmission_30d.parquet",
                      *files_ / "records/labels/chronic_onset_1y.parquet"};
    options.probe_labels = 60;
    return options;
  }

  static Json evaluations(const PretrainOptions& options) {
    const std::string path = options.out + "/metrics.json";
    return parse_json(read_file(path), path).at("evaluations");
  }

  inline static std::unique_ptr<TestFolder> files_;
  TestFolder folder_;
};

TEST_F(Probes, EachEvaluationHasTheirFiguresAndTheBestOnePicksTheCheckpoint) {
  PretrainOptions options = small_run("model");
  options.with_recall = true;
  options.select = Selection::probe;
  const PretrainReport report = pretrain(options);
  const Json rows = evaluations(options);
  ASSERT_EQ(rows.size(), 3u);
  double best = -1;
  int64_t best_step = 0;
  for (const Json& row : rows) {
    const double readmission = row.at("eval/probe/readmission_30d").get<double>();
    const double onset = row.at("eval/probe/chronic_onset_1y").get<double>();
    const double mean = row.at("eval/probe").get<double>();
    EXPECT_NEAR(mean, (readmission + onset) / 2, 1e-12);
    for (const double value : {readmission, onset, row.at("eval/recall").get<double>()}) {
      EXPECT_GE(value, 0);
      EXPECT_LE(value, 1);
    }
    EXPECT_TRUE(row.contains("eval/recall/27_80"));
    EXPECT_TRUE(row.contains("eval/gain"));
    EXPECT_TRUE(row.contains("eval/concordance"));
    if (mean > best) {
      best = mean;
      best_step = row.at("step").get<int64_t>();
    }
  }
  EXPECT_EQ(report.train.best_step, best_step);
  EXPECT_FALSE(fs::exists(options.out + "/.events"));
}

TEST_F(Probes, LeaveTheWeightsAsTheyAreAndAResumeRepeatsThem) {
  PretrainOptions plain = small_run("plain");
  plain.meds.clear();
  plain.probes.clear();
  pretrain(plain);
  const PretrainOptions watched = small_run("watched");
  pretrain(watched);
  const auto weights = [](const PretrainOptions& options) {
    return read_file(checkpoint_path(options.out, 3) + "/model.safetensors");
  };
  EXPECT_EQ(weights(plain), weights(watched));

  PretrainOptions resumed = small_run("resumed");
  fs::create_directories(resumed.out);
  fs::copy(checkpoint_path(watched.out, 1), checkpoint_path(resumed.out, 1));
  fs::copy(watched.out + "/metrics.json", resumed.out + "/metrics.json");
  EXPECT_TRUE(pretrain(resumed).train.is_resumed);
  EXPECT_EQ(evaluations(resumed), evaluations(watched));
  EXPECT_EQ(weights(resumed), weights(watched));
}

TEST_F(Probes, TheRunsKeyHoldsWhatPicksTheCheckpoint) {
  PretrainOptions options = small_run("model");
  pretrain(options);
  options.select = Selection::probe;
  EXPECT_THROW(pretrain(options), ConfigError);  // its checkpoints are another run's
  options.select = Selection::loss;
  EXPECT_TRUE(pretrain(options).is_up_to_date);
}

TEST_F(Probes, OnMadeUpRecordsTheTruthsGainIsBesideTheModels) {
  PretrainOptions options = small_run("model");
  options.meds.clear();
  options.probes.clear();
  options.truth = *files_ / "records/truth";
  pretrain(options);
  for (const Json& row : evaluations(options)) {
    const double truth = row.at("eval/truth/gain").get<double>();
    const double own = row.at("eval/truth/model_gain").get<double>();
    EXPECT_GT(truth, 0);
    EXPECT_LT(own, truth);
    EXPECT_NEAR(row.at("eval/truth/share").get<double>(), own / truth, 1e-12);
  }
  options.out = options.model + "_other";
  options.model += "_other";
  options.truth = folder_ / "none";
  EXPECT_THROW(pretrain(options), FileError);
}

TEST_F(Probes, WrongOptionsAndOneSidedLabelsAreRefused) {
  const auto refused = [&](auto change) {
    PretrainOptions options = small_run("refused");
    change(options);
    EXPECT_THROW(pretrain(options), Error);
    EXPECT_FALSE(fs::exists(options.model));
  };
  refused([](PretrainOptions& o) { o.meds.clear(); });
  refused([](PretrainOptions& o) { o.probes.clear(); });
  refused([](PretrainOptions& o) { o.probe_labels = 1; });
  refused([](PretrainOptions& o) { o.probes.push_back(o.probes[0]); });
  refused([](PretrainOptions& o) { o.probes = {o.meds + "/none.parquet"}; });
  const std::string path = folder_ / "alike.parquet";
  write_parquet(path, {{.name = "subject_id", .values = std::vector<int64_t>{1, 2, 3, 4, 5}},
                       {.name = "prediction_time",
                        .values = std::vector<int64_t>(5, 1'600'000'000'000'000),
                        .is_timestamp = true},
                       {.name = "boolean_value", .values = std::vector<uint8_t>(5, 0)}});
  refused([&](PretrainOptions& o) { o.probes = {path}; });
  EXPECT_THROW(to_selection("auroc"), ConfigError);
}

// Recall of an embedding that is the answer itself, and of one that knows nothing.
TEST_F(Probes, RecallIsOneForTheRecordItselfAndAHalfForNothing) {
  const TemporaryStore temporary({.meds = *files_ / "records/meds"}, folder_ / "events");
  const EventStore store = temporary.open();
  const std::vector<Label> labels = read_labels(*files_ / "records/labels.parquet");
  const int64_t n = static_cast<int64_t>(labels.size());
  std::vector<uint8_t> is_fitted;
  for (const Label& label : labels) is_fitted.push_back(label.subject_id % 2);
  const HistoryRecall recall(store, labels, is_fitted, 2);
  std::vector<int32_t> codes;
  for (int k = 0; k < 4; ++k) {
    codes.insert(codes.end(), recall.codes(k).begin(), recall.codes(k).end());
    EXPECT_LE(recall.codes(k).size(), 12u);
  }
  ASSERT_FALSE(codes.empty());
  const int64_t width = static_cast<int64_t>(codes.size());
  DenseMatrix answers{n, width, std::vector<float>(n * width)};
  DenseMatrix nothing{n, 1, std::vector<float>(n, 1)};
  std::vector<double> shares(width);
  for (int64_t row = 0; row < n; ++row) {
    const Subject subject = store.subject(*store.find_subject(labels[row].subject_id));
    for (int64_t i = 0; i < subject.num_events; ++i) {
      const int64_t age = labels[row].prediction_time_us - subject.time_us(i);
      if (subject.time_us(i) == kNoTime || age < 0 || age > 365 * kMicrosPerDay) continue;
      for (int64_t c = 0; c < width; ++c) {
        if (codes[c] == subject.code(i)) answers.values[row * width + c] = 1;
      }
    }
    for (int64_t c = 0; c < width; ++c) shares[c] += answers.values[row * width + c] / double(n);
  }
  int64_t c = 0;
  for (int k = 0; k < 4; ++k) {
    for (size_t i = 0; i < recall.codes(k).size(); ++i, ++c) {
      EXPECT_GE(shares[c], HistoryRecall::kBounds[k] - 1e-9);
      EXPECT_LT(shares[c], HistoryRecall::kBounds[k + 1]);
    }
  }
  const std::vector<LabelState> states(n, LabelState::embedded);
  EXPECT_GT(recall.measure(answers, states)[0].value, 0.99);
  EXPECT_EQ(recall.measure(nothing, states)[0].value, 0.5);
}

}  // namespace
}  // namespace sequela
