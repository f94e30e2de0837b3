#include "sequela/pipeline/evaluate.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/evaluation/inputs.h"
#include "tests/support/prediction_tables.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

class Evaluate : public testing::Test {
 protected:
  Evaluate() { options_.out = folder_ / "out"; }

  std::string write(const std::string& name, const MadeUpPredictions& rows,
                    bool has_outcomes = true) {
    rows.write(folder_ / name, has_outcomes);
    return folder_ / name;
  }
  Json run() {
    options_.num_bootstraps = 100;
    return parse_json(evaluate_predictions(options_).json, "metrics.json");
  }
  std::string error() {
    try {
      run();
    } catch (const Error& error) {
      EXPECT_FALSE(std::filesystem::exists(options_.out));
      EXPECT_NE(std::string(error.what()).find("Fix: "), std::string::npos) << error.what();
      return error.what();
    }
    return "no error";
  }
  void expect_error(const std::string& part) {
    const std::string text = error();
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }

  TestFolder folder_;
  EvaluateOptions options_;
};

TEST(EvaluateArguments, NamesStandBeforeThePath) {
  const auto parts = [](const std::string& argument) {
    const NamedFile file = parse_predictions_argument(argument);
    return file.task + "|" + file.method + "|" + file.path;
  };
  EXPECT_EQ(parts("a/motor.parquet"), "task|motor|a/motor.parquet");
  EXPECT_EQ(parts("motor=a.parquet"), "task|motor|a.parquet");
  EXPECT_EQ(parts("death:motor=x/a=b.parquet"), "death|motor|x/a=b.parquet");
  EXPECT_EQ(parts("runs/seed=1/motor.parquet"), "task|motor|runs/seed=1/motor.parquet");
  EXPECT_EQ(parts("s3://b/a.parquet?region=x"), "task|a|s3://b/a.parquet?region=x");
  EXPECT_EQ(parse_labels_argument("death=d.parquet").task, "death");
  EXPECT_EQ(parse_labels_argument("d.parquet").task, "");
}

TEST_F(Evaluate, WritesFiguresDifferencesAndCurves) {
  const MadeUpPredictions good(400), poor(400, 5);
  options_.predictions = {"good=" + write("good.parquet", good),
                          "poor=" + write("poor.parquet", poor)};
  good.write_subgroups(folder_ / "groups.parquet");
  options_.subgroups = folder_ / "groups.parquet";
  const Json metrics = run();
  const Json& task = metrics["tasks"][0];
  EXPECT_EQ(task["num_rows"], 400);
  EXPECT_EQ(task["num_subjects"], 200);
  const Json& method = task["methods"][0];
  const ScoredOutcomes scored({good.probabilities.begin(), good.probabilities.end()},
                              good.outcomes);
  EXPECT_NEAR(method["figures"]["auroc"]["value"].get<double>(), scored.auroc(), 1e-12);
  EXPECT_LT(method["figures"]["auroc"]["low"].get<double>(), scored.auroc());
  EXPECT_FALSE(method["figures"]["auroc"].contains("why_not"));
  EXPECT_EQ(method["subgroups"].size(), 7u);  // F, M; five bands of age
  EXPECT_EQ(method["gaps"].size(), 2u);
  EXPECT_GT(task["differences"][0]["figures"]["auroc"]["low"].get<double>(), 0);

  const Json curves = parse_json(read_file(options_.out + "/curves.json"), "curves.json");
  ASSERT_EQ(curves["curves"].size(), 2u);
  for (const char* curve : {"thresholds", "calibration", "calibration_bins", "decision"}) {
    EXPECT_GE(curves["curves"][0][curve].size(), 10u) << curve;
    EXPECT_LE(curves["curves"][0][curve].size(), 200u) << curve;
  }
  std::istringstream csv(read_file(options_.out + "/metrics.csv"));
  std::string line;
  std::getline(csv, line);
  EXPECT_EQ(line, "task,method,subgroup,metric,value,low,high,n,n_positive,why_not,p_value,p_holm");
  int num_lines = 0;
  while (std::getline(csv, line)) {
    EXPECT_EQ(std::ranges::count(line, ','), 11) << line;
    ++num_lines;
  }
  // Of each method all rows, seven subgroups and two gaps; and the difference.
  EXPECT_EQ(num_lines, static_cast<int>((2 * 10 + 1) * kNumBinaryFigures));
}

TEST_F(Evaluate, LabelsGiveOutcomesThatTheFileLacks) {
  const MadeUpPredictions rows(300);
  options_.predictions = {write("bare.parquet", rows, false)};
  rows.write_labels(folder_ / "labels.parquet");
  options_.labels = {folder_ / "labels.parquet"};
  const Json joined = run();
  EXPECT_EQ(joined["tasks"][0]["methods"][0]["method"], "bare");
  options_.predictions = {"bare=" + write("full.parquet", rows)};
  options_.labels.clear();
  EXPECT_EQ(run(), joined);
}

TEST_F(Evaluate, RowsWithoutAnOutcomeAreLeftOut) {
  const MadeUpPredictions rows(300), fewer(200);
  options_.predictions = {write("bare.parquet", rows, false)};
  fewer.write_labels(folder_ / "labels.parquet");
  options_.labels = {folder_ / "labels.parquet"};
  EXPECT_EQ(run()["tasks"][0]["num_rows"], 200);
}

TEST_F(Evaluate, TasksStandSideBySide) {
  const MadeUpPredictions a(200), b(300, 2);
  const std::string first = write("a.parquet", a), second = write("b.parquet", b);
  options_.predictions = {"death:motor=" + first, "icu:motor=" + second, "death:trees=" + first};
  const Json metrics = run();
  ASSERT_EQ(metrics["tasks"].size(), 2u);
  EXPECT_EQ(metrics["tasks"][0]["methods"].size(), 2u);
  EXPECT_EQ(metrics["tasks"][1]["task"], "icu");
  EXPECT_EQ(metrics["tasks"][0]["differences"][0]["figures"]["auroc"]["value"], 0);
}

TEST_F(Evaluate, FinishedOutputIsLeftAloneAndOtherInputsReplaceIt) {
  options_.predictions = {write("a.parquet", MadeUpPredictions(200))};
  options_.num_bootstraps = 100;
  const EvaluateReport first = evaluate_predictions(options_);
  EXPECT_FALSE(first.is_up_to_date);
  std::filesystem::remove(options_.out + "/report.html");
  const EvaluateReport again = evaluate_predictions(options_);
  EXPECT_TRUE(again.is_up_to_date);
  EXPECT_TRUE(std::filesystem::exists(options_.out + "/report.html"));
  EXPECT_EQ(again.text, first.text);
  EXPECT_EQ(again.json, first.json);
  options_.seed = 2;
  EXPECT_FALSE(evaluate_predictions(options_).is_up_to_date);
  options_.predictions = {write("a.parquet", MadeUpPredictions(202))};
  EXPECT_FALSE(evaluate_predictions(options_).is_up_to_date);
}

TEST_F(Evaluate, IsTheSameForAnyNumberOfThreads) {
  options_.predictions = {write("a.parquet", MadeUpPredictions(200))};
  const Json one = run();
  options_.num_threads = 3;
  options_.out = folder_ / "other";
  EXPECT_EQ(run(), one);
}

TEST_F(Evaluate, ErrorsSayTheMendAndLeaveNothing) {
  const MadeUpPredictions rows(100);
  options_.predictions = {write("bare.parquet", rows, false)};
  expect_error("bare.parquet: column 'boolean_value': no row has an outcome");
  MadeUpPredictions others(100);
  for (int64_t& subject : others.subjects) subject += 1000;
  others.write_labels(folder_ / "labels.parquet");
  options_.labels = {folder_ / "labels.parquet"};
  expect_error("bare.parquet: no row in common with the labels");
  options_.labels.clear();

  const std::string full = write("full.parquet", rows);
  options_.predictions = {full, write("others.parquet", others)};
  expect_error("others.parquet: no row in common with ");
  MadeUpPredictions wrong(100);
  wrong.outcomes[7] ^= 1;
  options_.predictions = {full, write("wrong.parquet", wrong)};
  expect_error("another outcome than in a file before it");
  options_.predictions = {"a=" + full, "a=" + full};
  expect_error("method 'a' of task 'task' comes twice");

  options_.predictions = {full};
  others.write_subgroups(folder_ / "groups.parquet");
  options_.subgroups = folder_ / "groups.parquet";
  expect_error("groups.parquet: no row in common with the predictions");
  options_.subgroups.clear();
  options_.predictions = {folder_ / "none.parquet"};
  EXPECT_THROW(run(), Error);
}

}  // namespace
}  // namespace sequela
