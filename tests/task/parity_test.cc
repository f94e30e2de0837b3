// Fits on the train part of femr's fixtures and compares with what femr learned there.
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/task/motor_task.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

void expect_near(double actual, double expected) {
  EXPECT_LE(std::abs(actual - expected), 1e-6 * std::abs(expected)) << actual << ", " << expected;
}

void expect_parity(const Cohort& cohort, const std::string& name) {
  const Json settings = parity_settings(name);
  MotorTaskOptions options;
  options.num_tasks = settings.at("num_tasks").get<int32_t>();
  options.min_fraction = settings.at("min_fraction").get<double>();
  const std::string folder = reference_path("motor/" + name + "/");
  const Vocabulary vocabulary = Vocabulary::read(folder + "tokenizer/dictionary.msgpack");
  const Json expected = parse_json(read_file(folder + "motor_task.json"), folder);
  const MotorTask task =
      fit_motor_task(cohort.store, cohort.ontology, vocabulary, cohort.sides, options);

  ASSERT_EQ(task.time_bins.size(), expected["time_bins"].size());
  for (int32_t b = 0; b < task.num_bins(); ++b) {
    EXPECT_EQ(task.time_bins[b], expected["time_bins"][b].get<double>()) << "edge " << b;
  }
  EXPECT_EQ(task.time_bins.back(), INFINITY);
  const Json& rows = expected["pretraining_task_info"];
  ASSERT_EQ(task.tasks.size(), rows.size());
  for (size_t t = 0; t < rows.size(); ++t) {
    const MotorTask::Entry& entry = task.tasks[t];
    EXPECT_EQ(entry.code, rows[t][0].get<std::string>());
    expect_near(entry.rate, rows[t][1].get<double>());
    EXPECT_EQ(entry.n_censored, rows[t][2].get<double>()) << entry.code;
    EXPECT_EQ(entry.n_events, rows[t][3].get<double>()) << entry.code;
    expect_near(entry.mean_time, rows[t][4].get<double>());
  }
}

class MotorTaskParity : public OnReference {};

TEST_P(MotorTaskParity, G60) {
  expect_parity(g60(), "g60");
}

TEST_P(MotorTaskParity, Tutorial) {
  expect_parity(tutorial(), "tutorial");
}

SEQUELA_ON_REFERENCES(MotorTaskParity);

}  // namespace
}  // namespace sequela
