// Methods side by side, on made-up subjects of whom codes tell the outcome and a tiny bundle.
#include "sequela/pipeline/evaluate_methods.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/io/file.h"
#include "sequela/meds/predictions.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "tests/pipeline/made_up_cohort.h"
#include "tests/support/manifest_of.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class EvaluateMethods : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = std::make_unique<TestFolder>();
    // Of the true labels most have one of two codes before them, of the false ones few.
    for (const MadeUpCohort::LabelRow& label : cohort().labels) {
      const uint64_t draw = hash_key(9, label.subject);
      if (draw % 10 < (label.outcome ? 8 : 2)) {
        cohort().add(label.subject, label.time_us - MadeUpCohort::kHour,
                     draw % 3 == 0 ? "ICD10:K1000.0" : "ICD10:K1028.4");
      }
    }
    cohort().write(files_->path());
    std::string train = "subject_id,split_name\n", validation;
    for (int64_t subject = 1; subject <= kNumSubjects; ++subject) {
      const std::string split = MadeUpCohort::split_of(subject);
      if (split == "train") train += std::to_string(subject) + ",train\n";
      if (split == "tuning") validation += std::to_string(subject) + ",test\n";
    }
    write_file(*files_ / "split.csv", train + validation);
    PrepareOptions prepared;
    prepared.meds = *files_ / "meds";
    prepared.out = *files_ / "prepared";
    prepared.split = *files_ / "split.csv";
    prepared.vocab_size = 64;
    prepared.num_numeric = 8;
    prepared.num_tasks = 64;
    prepared.final_layer_size = 16;
    prepared.tokens_per_batch = 512;
    prepare(prepared);
    PretrainOptions options;
    options.data = prepared.out;
    options.out = *files_ / "pretrained_output";
    options.model = *files_ / "bundle";
    options.encoder.hidden_size = 32;
    options.encoder.intermediate_size = 48;
    options.encoder.n_heads = 2;
    options.encoder.n_layers = 2;
    options.train.max_steps = 2;
    options.train.accumulate = 1;
    options.train.warmup_steps = 1;
    options.precision = Precision::fp32;
    options.device = "cpu";
    options.num_threads = 1;
    pretrain(options);
  }
  static void TearDownTestSuite() { files_.reset(); }

  EvaluateMethodsOptions options(const std::string& name) const {
    EvaluateMethodsOptions options;
    options.meds = *files_ / "meds";
    options.labels = {"onset=" + (*files_ / "labels.parquet")};
    options.out = folder_ / name;
    options.device = "cpu";
    options.num_bootstraps = 50;
    options.shots = {1, 8};
    options.num_draws = 2;
    options.num_threads = 1;
    return options;
  }
  static Json run(const EvaluateMethodsOptions& options) {
    evaluate_methods(options);
    const std::string path = options.out + "/evaluation.json";
    return parse_json(read_file(path), path);
  }
  static std::map<std::string, Json> by_method(const Json& task) {
    std::map<std::string, Json> methods;
    for (const Json& method : task.at("methods")) methods[method.at("method")] = method;
    return methods;
  }
  static double auroc(const Json& method) {
    return method.at("figures").at("auroc").at("value").get<double>();
  }
  static void expect_error(const EvaluateMethodsOptions& options, const std::string& part) {
    try {
      evaluate_methods(options);
      ADD_FAILURE() << "no error: " << part;
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find(part), std::string::npos) << text;
      EXPECT_NE(text.find("Fix: "), std::string::npos) << text;
    }
    EXPECT_FALSE(fs::exists(options.out + "/evaluation.json"));
  }

  static constexpr int64_t kNumSubjects = 300;
  static MadeUpCohort& cohort() {
    static MadeUpCohort cohort(kNumSubjects);
    return cohort;
  }
  inline static std::unique_ptr<TestFolder> files_;
  TestFolder folder_;
};

TEST_F(EvaluateMethods, AllSeeOneSplitAndOneSetOfLabels) {
  EvaluateMethodsOptions options = this->options("out");
  options.model = *files_ / "bundle";
  options.hazards = {"C/1@365"};
  const Json evaluation = run(options);
  EXPECT_EQ(evaluation.at("schema"), 1);
  const Json& task = evaluation.at("tasks").at(0);
  EXPECT_EQ(task.at("task"), "onset");
  EXPECT_EQ(task.at("kind"), "binary");
  EXPECT_EQ(task.at("sides").at("train").at("num_rows"), 180);
  EXPECT_EQ(task.at("sides").at("validation").at("num_rows"), 60);
  EXPECT_EQ(task.at("num_rows"), 60);
  const auto methods = by_method(task);
  ASSERT_EQ(methods.size(), 7u);
  for (const char* name : {"probe", "hazards", "random", "counts_trees", "counts_logistic",
                           "code_vectors", "age_sex"}) {
    ASSERT_TRUE(methods.contains(name)) << name;
    EXPECT_EQ(methods.at(name).at("num_rows"), 60) << name;
    EXPECT_TRUE(methods.at(name).at("curves").contains("roc_band")) << name;
  }
  EXPECT_GT(auroc(methods.at("counts_logistic")), 0.7);
  EXPECT_GT(auroc(methods.at("counts_trees")), 0.7);
  EXPECT_EQ(task.at("differences").size(), 21u);
  EXPECT_EQ(task.at("map").at("method"), "probe");
  EXPECT_EQ(task.at("map").at("points").size(), 60u);
  EXPECT_EQ(evaluation.at("model").at("hidden_size"), 32);
  EXPECT_EQ(evaluation.at("data").at("num_subjects"), kNumSubjects);
  // The oldest subject's birthday is nobody's business, and no time at which records were kept.
  EXPECT_GE(evaluation.at("data").at("first_time").get<std::string>(), "1997-05-19");

  // What a method said stands in its file, for whoever evaluates it elsewhere.
  const auto rows = read_predictions(options.out + "/predictions/onset/counts_logistic.parquet");
  std::vector<double> scores;
  std::vector<uint8_t> outcomes;
  for (const Prediction& row : rows) {
    EXPECT_EQ(MadeUpCohort::split_of(row.key.subject_id), "held_out");
    scores.push_back(row.probability);
    outcomes.push_back(row.outcome != 0);
  }
  EXPECT_NEAR(ScoredOutcomes(scores, outcomes).auroc(), auroc(methods.at("counts_logistic")), 1e-9);
}

TEST_F(EvaluateMethods, FewShotCurvesHaveEveryKAndAllLabels) {
  EvaluateMethodsOptions options = this->options("out");
  options.methods = {"counts_logistic", "age_sex"};
  const Json few_shot = run(options).at("tasks").at(0).at("few_shot");
  ASSERT_EQ(few_shot.at("points").size(), 6u);  // two methods; 1, 8, all
  int num_all = 0;
  for (const Json& point : few_shot.at("points")) {
    num_all += point.at("k").is_null();
    EXPECT_EQ(point.at("auroc_by_draw").size(), point.at("k").is_null() ? 1u : 2u);
    EXPECT_EQ(point.at("num_train"), point.at("k").is_null() ? 180 : 2 * point.at("k").get<int>());
  }
  EXPECT_EQ(num_all, 2);
  EXPECT_EQ(few_shot.at("differences").size(), 3u);
  options.out = folder_ / "none";
  options.shots.clear();
  EXPECT_TRUE(run(options).at("tasks").at(0).at("few_shot").is_null());
}

TEST_F(EvaluateMethods, ThreadsChangeNoDigit) {
  EvaluateMethodsOptions options = this->options("one");
  options.methods = {"counts_logistic", "counts_trees", "code_vectors", "age_sex"};
  const Json one = run(options);
  options.out = folder_ / "three";
  options.num_threads = 3;
  EXPECT_EQ(run(options), one);
}

TEST_F(EvaluateMethods, WhatIsFinishedIsKept) {
  EvaluateMethodsOptions options = this->options("out");
  options.methods = {"counts_logistic"};
  run(options);
  const std::string path = options.out + "/predictions/onset/counts_logistic.parquet";
  const auto written = fs::last_write_time(path);
  EXPECT_TRUE(evaluate_methods(options).is_up_to_date);
  options.methods = {"counts_logistic", "age_sex"};
  EXPECT_EQ(run(options).at("tasks").at(0).at("methods").size(), 2u);
  EXPECT_EQ(fs::last_write_time(path), written);
  options.seed = 2;
  run(options);
  EXPECT_GT(fs::last_write_time(path), written);
  EXPECT_EQ(artifact_of(options.out, "evaluate").at("files").size(), 5u);
}

TEST_F(EvaluateMethods, PredictionsFromOutsideStandInTheTable) {
  EvaluateMethodsOptions options = this->options("first");
  options.methods = {"counts_logistic", "age_sex"};
  const auto first = by_method(run(options).at("tasks").at(0));
  EvaluateMethodsOptions second = this->options("second");
  second.methods = {"age_sex"};
  second.predictions = {"theirs=" + options.out + "/predictions/onset/counts_logistic.parquet"};
  const auto methods = by_method(run(second).at("tasks").at(0));
  ASSERT_TRUE(methods.contains("theirs"));
  EXPECT_NEAR(auroc(methods.at("theirs")), auroc(first.at("counts_logistic")), 1e-12);
  second.predictions[0] = "age_sex=" + second.predictions[0].substr(7);
  second.out = folder_ / "taken";
  expect_error(second, "a method named 'age_sex' already");
  second.predictions = {"other:theirs=" + options.out + "/predictions/onset/age_sex.parquet"};
  expect_error(second, "of the tasks onset");
}

TEST_F(EvaluateMethods, SubgroupsComeFromTheRecords) {
  EvaluateMethodsOptions options = this->options("out");
  options.methods = {"age_sex"};
  options.subgroup_codes = {"ICD10:K1000.0"};
  const Json method = run(options).at("tasks").at(0).at("methods").at(0);
  std::map<std::string, int64_t> rows;
  for (const Json& group : method.at("subgroups"))
    rows[group.at("column").get<std::string>() + "=" + group.at("value").get<std::string>()] =
        group.at("num_rows");
  EXPECT_EQ(rows.at("sex=female") + rows.at("sex=male"), 60);
  EXPECT_EQ(rows.at("ICD10:K1000.0 before=no") + rows.at("ICD10:K1000.0 before=yes"), 60);
  EXPECT_GT(rows.at("ICD10:K1000.0 before=yes"), 0);
  options.subgroup_codes = {"NO/SUCH"};
  options.out = folder_ / "none";
  expect_error(options, "NO/SUCH");
}

TEST_F(EvaluateMethods, TheBundleTellsWhomItHasSeen) {
  EvaluateMethodsOptions options = this->options("out");
  options.model = *files_ / "bundle";
  options.methods = {"probe"};
  std::map<std::string, std::string> statuses;
  const Json evaluation = run(options);
  for (const Json& leak : evaluation.at("leaks"))
    statuses[leak.at("check")] = leak.at("status").get<std::string>();
  ASSERT_EQ(statuses.size(), 7u);
  EXPECT_EQ(statuses.at("pretraining_subjects"), "passed");
  EXPECT_EQ(statuses.at("subjects_on_two_sides"), "passed");
  // The other way round: what it was pretrained on becomes the test side.
  std::vector<int64_t> subjects;
  std::vector<std::string> names;
  for (int64_t subject = 1; subject <= kNumSubjects; ++subject) {
    const std::string split = MadeUpCohort::split_of(subject);
    subjects.push_back(subject);
    names.emplace_back(split == "held_out" ? "tuning" : subject % 5 == 2 ? "held_out" : "train");
  }
  options.splits = folder_ / "splits.parquet";
  write_parquet(options.splits,
                {{.name = "subject_id", .values = subjects}, {.name = "split", .values = names}});
  options.out = folder_ / "leaky";
  options.leaks = LeakRule::fail;
  expect_error(options, "has learned from 60 of 60 test subjects");
  options.leaks = LeakRule::off;
  EXPECT_EQ(run(options).at("leaks").size(), 0u);
}

TEST_F(EvaluateMethods, FineTunesEndToEnd) {
  EvaluateMethodsOptions options = this->options("out");
  options.model = *files_ / "bundle";
  options.methods = {"probe", "finetune", "lora"};
  options.read_out = ReadOut::last;
  const Json evaluation = run(options);
  const auto methods = by_method(evaluation.at("tasks").at(0));
  ASSERT_EQ(methods.size(), 3u);
  for (const char* name : {"finetune", "lora"}) {
    EXPECT_EQ(methods.at(name).at("num_rows"), 60);
    EXPECT_TRUE(fs::exists(options.out + "/tuned/onset/" + name + "/model.safetensors"));
    EXPECT_FALSE(fs::exists(options.out + "/tuned/onset/" + std::string(name) + "_inputs"));
  }
  for (const Json& point : evaluation.at("tasks").at(0).at("few_shot").at("points")) {
    if (point.at("method") != "probe") {
      EXPECT_TRUE(point.at("k").is_null());
    }
  }
}

TEST_F(EvaluateMethods, AnyEncoderOfTheBertFamily) {
  EvaluateMethodsOptions options = this->options("out");
  options.methods = {"encoder", "age_sex"};
  options.encoders = {"codes=" + reference_path("bert/a_bert/model_st")};
  options.shots.clear();
  const auto methods = by_method(run(options).at("tasks").at(0));
  // Random weights over two known codes, one of which most true labels have.
  EXPECT_GT(auroc(methods.at("codes")), 0.6);
}

TEST_F(EvaluateMethods, TasksAreMadeByTheirName) {
  EvaluateMethodsOptions options = this->options("out");
  options.labels.clear();
  write_file(folder_ / "c_one.yaml",
             "predicates:\n"
             "  visit:\n    code: {regex: '^C/'}\n"
             "  one:\n    code: C/1\n"
             "trigger: visit\n"
             "windows:\n"
             "  target:\n"
             "    start: trigger\n    end: start + 120 days\n"
             "    start_inclusive: false\n    end_inclusive: true\n"
             "    label: one\n");
  options.tasks = {folder_ / "c_one.yaml"};
  options.methods = {"age_sex"};
  options.max_labels = 200;
  options.shots.clear();
  const Json task = run(options).at("tasks").at(0);
  EXPECT_EQ(task.at("task"), "c_one");
  EXPECT_EQ(task.at("sides").at("train").at("num_rows"), 200);
  EXPECT_TRUE(fs::exists(options.out + "/labels/c_one"));
}

TEST_F(EvaluateMethods, BadOptionsAreNamed) {
  EvaluateMethodsOptions options = this->options("out");
  options.methods = {"prob"};
  expect_error(options, "did you mean 'probe'");
  options.methods = {"probe"};
  expect_error(options, "--methods probe needs --model");
  options.methods = {"hazards"};
  options.model = *files_ / "bundle";
  expect_error(options, "--methods hazards needs --hazard");
  options.hazards = {"C/99@30"};
  expect_error(options, "has no task 'C/99'");
  options.hazards = {"C/1@never"};
  expect_error(options, "days above 0");
  options = this->options("out");
  options.encoders = {"a/bert", "b/bert"};
  expect_error(options, "there is a method named 'bert' already");
  options.encoders = {"age_sex=a/bert"};
  expect_error(options, "there is a method named 'age_sex' already");
  options = this->options("out");
  options.labels.push_back(options.labels[0]);
  expect_error(options, "two tasks are named 'onset'");
  options = this->options("out");
  options.labels.clear();
  expect_error(options, "there is no task");
}

TEST_F(EvaluateMethods, WhatIsGivenIsReadBeforeAnythingIsLearned) {
  EvaluateMethodsOptions options = this->options("out");
  options.methods = {"age_sex"};
  const std::string& labels = options.labels[0];
  options.predictions = {"age_sex=" + labels.substr(labels.find('=') + 1)};
  expect_error(options, "there is a method named 'age_sex' already");
  options.predictions.clear();
  options.subgroup_codes = {"NO/SUCH"};
  expect_error(options, "NO/SUCH");
  EXPECT_FALSE(fs::exists(options.out + "/predictions"));
}

TEST_F(EvaluateMethods, APartNeedsBothOutcomes) {
  std::vector<int64_t> subjects, times;
  std::vector<uint8_t> outcomes;
  for (const MadeUpCohort::LabelRow& label : cohort().labels) {
    subjects.push_back(label.subject);
    times.push_back(label.time_us);
    outcomes.push_back(label.outcome && MadeUpCohort::split_of(label.subject) != "held_out");
  }
  write_parquet(folder_ / "labels.parquet",
                {{.name = "subject_id", .values = subjects},
                 {.name = "prediction_time", .values = times, .is_timestamp = true},
                 {.name = "boolean_value", .values = outcomes}});
  EvaluateMethodsOptions options = this->options("out");
  options.labels = {folder_ / "labels.parquet"};
  expect_error(options, "the held-out subjects have 60 labels, 0 of them true");
  EXPECT_FALSE(fs::exists(options.out));
}

}  // namespace
}  // namespace sequela
