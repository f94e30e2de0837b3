// Methods side by side: tasks by name, and what is refused.
#include "tests/pipeline/evaluated_methods.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

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
