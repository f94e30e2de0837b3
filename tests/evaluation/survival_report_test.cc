#include "sequela/evaluation/survival_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sequela/core/random.h"

namespace sequela {
namespace {

// Half as many subjects as rows; a good method knows the hazard, another one nothing.
SurvivalTask made_up_task() {
  SurvivalTask task{.name = "task", .horizons = {1, 2}};
  SurvivalScores good{.method = "good"}, none{.method = "none"};
  Random random(3);
  for (int i = 0; i < 400; ++i) {
    const double x = random.normal();
    const double event = random.exponential() / std::exp(x), other = 4 * random.exponential();
    const double end = 1 + 3 * random.uniform();
    task.subject_ids.push_back(i / 2);
    task.days.push_back(std::min({event, other, end}));
    task.ends.push_back(event <= std::min(other, end) ? 1 : other <= end ? 2 : 0);
    good.scores.push_back(x);
    none.scores.push_back(0);
    for (const double horizon : task.horizons) {
      good.survival.push_back(std::exp(-horizon * std::exp(x)));
      none.survival.push_back(std::exp(-horizon));
    }
  }
  task.methods = {good, none};
  return task;
}

double value_of(const std::vector<NamedFigure>& figures, const std::string& name) {
  return std::ranges::find(figures, name, &NamedFigure::name)->interval.value;
}

TEST(SurvivalReport, FiguresAreThoseOfTheMetrics) {
  const SurvivalTask task = made_up_task();
  const SurvivalReport report = evaluate_survival_task(task, {.num_resamples = 50});
  EXPECT_EQ(report.num_rows, 400);
  EXPECT_EQ(report.num_subjects, 200);
  EXPECT_EQ(report.num_events + report.num_competing, 400 - std::ranges::count(task.ends, 0));
  std::vector<uint8_t> kinds;
  for (const uint8_t end : task.ends) kinds.push_back(end == 1);
  const SurvivalMetrics metrics(
      {task.days, kinds, task.methods[0].scores, task.horizons, task.methods[0].survival});
  std::vector<double> values(metrics.names().size());
  metrics.compute({}, values);
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(value_of(report.methods[0].figures, metrics.names()[i]), values[i], 1e-12);
  EXPECT_GT(value_of(report.methods[0].figures, "harrell_c"), 0.65);
  EXPECT_NEAR(value_of(report.methods[1].figures, "harrell_c"), 0.5, 1e-12);
  ASSERT_EQ(report.methods[0].calibration.size(), 2u);
  EXPECT_EQ(report.methods[0].mean_survival.size(), 2u);
}

TEST(SurvivalReport, DifferencesAreTestedAndCorrected) {
  std::vector<SurvivalReport> reports = {
      evaluate_survival_task(made_up_task(), {.num_resamples = 100})};
  adjust_p_values(reports);
  ASSERT_EQ(reports[0].differences.size(), 1u);
  const auto& tests = reports[0].differences[0].figures;
  const NamedTest& harrell = *std::ranges::find(tests, "harrell_c", &NamedTest::name);
  EXPECT_GT(harrell.test.difference.low, 0);
  EXPECT_EQ(harrell.p_holm, harrell.test.p_value);  // one test in its family
}

TEST(SurvivalReport, CurvesOfRisksThatCompete) {
  const SurvivalReport report = evaluate_survival_task(made_up_task(), {.num_resamples = 50});
  ASSERT_EQ(report.survival.days.size(), 101u);
  EXPECT_EQ(report.survival.values.front().value, 1);
  for (size_t i = 0; i < 101; ++i) {
    const double event = report.incidence.values[i].value;
    const double competing = report.competing.values[i].value;
    EXPECT_LE(event + competing, 1 + 1e-12);
    // What competes takes away from the event's incidence.
    EXPECT_LE(event, 1 - report.survival.values[i].value + 1e-12);
  }
  EXPECT_GT(report.competing.values.back().value, 0.05);
}

}  // namespace
}  // namespace sequela
