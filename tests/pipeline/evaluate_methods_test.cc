// Methods side by side: one split, one set of labels, the same with any number of threads.
#include "sequela/evaluation/metrics.h"
#include "sequela/meds/predictions.h"
#include "tests/pipeline/evaluated_methods.h"
#include "tests/support/manifest_of.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

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

}  // namespace
}  // namespace sequela
