#include "sequela/task/motor_task.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/tokenizer/fit_tokenizer.h"
#include "tests/support/bad_inputs.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

MotorTask fit(const Cohort& cohort, MotorTaskOptions options = {}) {
  TokenizerOptions tokenizer_options;
  tokenizer_options.min_fraction = 0;
  const Vocabulary vocabulary =
      fit_tokenizer(cohort.store, cohort.ontology, cohort.sides, tokenizer_options);
  return fit_motor_task(cohort.store, cohort.ontology, vocabulary, cohort.sides, options);
}

std::string text_of(const MotorTask& task) {
  TestFolder folder;
  task.write(folder / "motor_task.json");
  return read_file(folder / "motor_task.json");
}

TEST(MotorTask, CountsByHand) {
  // Labels: the ends of days 1 (10:48) and 2. Not day 0 (birth), nor day 3 (nothing later), and not
  // day 2 of subject 2, after which no task happens.
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 0.5, "a"},
                                          {1, 1.25, "a"},
                                          {1, 1.45, "x", 1.0f},
                                          {1, 2.0, "b"},
                                          {1, 3.0, "a"},
                                          {2, 0, "MEDS_BIRTH"},
                                          {2, 2.0, "a"},
                                          {2, 9.0, "a", 1.0f}});
  Vocabulary vocabulary;
  for (const char* code : {"a", "b"}) {
    VocabularyEntry entry;
    entry.type = VocabularyEntry::Type::code;
    entry.code_string = code;
    vocabulary.entries.push_back(entry);
  }
  const MotorTask task =
      fit_motor_task(cohort.store, cohort.ontology, vocabulary, cohort.sides, {});
  const auto find = [&](const std::string& code) {
    for (const auto& entry : task.tasks) {
      if (entry.code == code) return entry;
    }
    ADD_FAILURE() << code << " is no task";
    return MotorTask::Entry{};
  };
  const MotorTask::Entry a = find("a"), b = find("b");
  EXPECT_EQ(a.n_events, 2);
  EXPECT_EQ(a.n_censored, 0);
  EXPECT_DOUBLE_EQ(a.mean_time, 86'400 * (1.55 + 1) / 2);
  EXPECT_DOUBLE_EQ(a.rate, 1 / a.mean_time);
  EXPECT_EQ(b.n_events, 1);
  EXPECT_EQ(b.n_censored, 1);
  EXPECT_DOUBLE_EQ(b.mean_time, 86'400 * (0.55 + 1) / 2);
}

// The outer bins of x: 1 to 8, two days before each other.
TEST(MotorTask, TakesTheOuterBinsOfCodesAsTasks) {
  std::vector<TestEvent> events = {{1, 0, "MEDS_BIRTH"}};
  for (int i = 1; i <= 8; ++i) events.push_back({1, 2.0 * i, "x", static_cast<float>(i)});
  events.push_back({1, 20, "a"});
  const Cohort cohort = cohort_of_events(events);
  TokenizerOptions tokenizer_options;
  tokenizer_options.bins_per_code = 4;
  tokenizer_options.min_fraction = 0;
  Vocabulary vocabulary =
      fit_tokenizer(cohort.store, cohort.ontology, cohort.sides, tokenizer_options);
  MotorTaskOptions options;
  const auto names = [&] {
    std::vector<std::string> found;
    const MotorTask task =
        fit_motor_task(cohort.store, cohort.ontology, vocabulary, cohort.sides, options);
    TestFolder folder;
    task.write(folder / "motor_task.json");
    for (const auto& entry : MotorTask::read(folder / "motor_task.json").tasks) {
      found.push_back(entry.name());
    }
    return found;
  };
  VocabularyEntry a;
  a.type = VocabularyEntry::Type::code;
  a.code_string = "a";
  vocabulary.entries.push_back(a);
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  options.num_value_tasks = 8;
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "x (-inf, 2.75)", "x [6.25, inf)"}));
  options.num_value_tasks = 1;
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "x (-inf, 2.75)"}));
}

TEST(MotorTask, IsTheSameForAnyNumberOfThreads) {
  for (const Cohort& cohort : {g60(), tutorial(), cohort_of_chunks()}) {
    MotorTaskOptions options;
    const std::string expected = text_of(fit(cohort, options));
    for (int num_threads : {2, 5}) {
      options.num_threads = num_threads;
      EXPECT_EQ(text_of(fit(cohort, options)), expected) << num_threads << " threads";
    }
  }
}

// With one label, an event that happens once is a task whatever the fraction.
TEST(MotorTask, KeepsTasksOfOneEvent) {
  const Cohort cohort = cohort_of_events(
      {{1, 0, "MEDS_BIRTH"}, {1, 1, "a"}, {1, 2, "b"}, {2, 0, "MEDS_BIRTH"}, {2, 1, "a"}});
  MotorTaskOptions options;
  for (const double fraction : {0.0, 1.0}) {
    options.min_fraction = fraction;
    const MotorTask task = fit(cohort, options);
    ASSERT_EQ(task.tasks.size(), 1u);
    EXPECT_EQ(task.tasks[0].code, "b");
    EXPECT_EQ(task.tasks[0].n_events, 1);
    EXPECT_EQ(task.tasks[0].n_censored, 0);
  }
}

TEST(MotorTask, RefusesSizesOutOfRange) {
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"}, {1, 1, "a"}, {1, 2, "b"}});
  const auto with = [&](auto member, auto value) {
    MotorTaskOptions options;
    options.*member = value;
    options.validate();
  };
  using Options = MotorTaskOptions;
  for (const int size : {1, 65'536}) EXPECT_NO_THROW(with(&Options::num_tasks, size)) << size;
  for (const int size : {0, 65'537}) EXPECT_THROW(with(&Options::num_tasks, size), ConfigError);
  for (const int size : {1, 1'024}) EXPECT_NO_THROW(with(&Options::num_bins, size)) << size;
  for (const int size : {0, 1'025}) EXPECT_THROW(with(&Options::num_bins, size), ConfigError);
  EXPECT_NO_THROW(with(&Options::final_layer_size, 1));
  EXPECT_THROW(with(&Options::final_layer_size, 0), ConfigError);
  for (const double share : {0.0, 1.0}) EXPECT_NO_THROW(with(&Options::min_fraction, share));
  for (const double share : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THROW(with(&Options::min_fraction, share), ConfigError);
  }
  EXPECT_NO_THROW(with(&Options::num_threads, 1));
  EXPECT_THROW(with(&Options::num_threads, 0), ConfigError);
  MotorTaskOptions options;
  options.num_tasks = 65'000;
  options.num_value_tasks = 536;
  EXPECT_NO_THROW(options.validate());
  options.num_value_tasks = 537;
  EXPECT_THROW(options.validate(), ConfigError);
  options.num_value_tasks = -1;
  EXPECT_THROW(options.validate(), ConfigError);
  options.num_value_tasks = 0;
  options.num_threads = 0;
  EXPECT_THROW(fit(cohort, options), ConfigError);
}

TEST(MotorTask, StaysFiniteOnBadTimes) {
  BadInputs inputs;
  for (const char* name : {"06_meds_events_before_birth", "08_meds_far_future"}) {
    const MotorTask task = fit(cohort_of_meds(inputs.path(name)));
    EXPECT_FALSE(task.tasks.empty());
    for (const MotorTask::Entry& entry : task.tasks) {
      EXPECT_TRUE(std::isfinite(entry.rate) && entry.rate > 0);
      EXPECT_TRUE(std::isfinite(entry.mean_time) && entry.mean_time > 0);
    }
    EXPECT_TRUE(std::is_sorted(task.time_bins.begin(), task.time_bins.end()));
  }
}

TEST(MotorTask, NothingToLearnIsADataError) {
  EXPECT_THROW(fit(cohort_of_events({{1, 0, "MEDS_BIRTH"}, {1, 1, "a"}})), DataError);
}

TEST(MotorTask, ReadsWhatItWrote) {
  TestFolder folder;
  MotorTask task;
  task.time_bins = {0, 2613045.5, INFINITY};
  task.tasks = {{{"ATC/I", {}}, 1.4114539566367878e-08, 364, 675, 46027936.977863304}};
  task.final_layer_size = 32;
  task.write(folder / "motor_task.json");
  const MotorTask read = MotorTask::read(folder / "motor_task.json");
  EXPECT_EQ(read.time_bins, task.time_bins);
  EXPECT_EQ(read.final_layer_size, 32);
  ASSERT_EQ(read.tasks.size(), 1u);
  EXPECT_EQ(read.tasks[0].code, "ATC/I");
  EXPECT_EQ(read.tasks[0].rate, task.tasks[0].rate);
  EXPECT_EQ(read.tasks[0].n_censored, 364);
  EXPECT_EQ(read.tasks[0].n_events, 675);
  EXPECT_EQ(read.tasks[0].mean_time, task.tasks[0].mean_time);
}

TEST(MotorTask, RefusesBrokenFiles) {
  TestFolder folder;
  for (const char* text :
       {"", "[]", R"({"time_bins": [0, Infinity], "final_layer_size": 1})",
        R"({"time_bins": [0, 5, 3, Infinity], "tasks": [], "final_layer_size": 1})",
        R"({"time_bins": [0, NaN, Infinity], "tasks": [], "final_layer_size": 1})",
        R"({"time_bins": [0, 5], "tasks": [], "final_layer_size": 1})",
        R"({"time_bins": [0, Infinity], "tasks": [], "final_layer_size": -16})",
        R"({"time_bins": [0, Infinity], "tasks": [{"code": "a", "rate": -1, "n_censored": 1,
            "n_events": 1, "mean_time": 1}], "final_layer_size": 1})",
        R"({"time_bins": [0, Infinity], "tasks": [{"code": "a", "rate": 1, "n_censored": -1,
            "n_events": 1, "mean_time": 1}], "final_layer_size": 1})"}) {
    write_file(folder / "motor_task.json", text);
    EXPECT_THROW(MotorTask::read(folder / "motor_task.json"), FileError) << text;
  }
}

}  // namespace
}  // namespace sequela
