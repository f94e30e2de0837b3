#include "sequela/evaluation/task_report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/random.h"
#include "sequela/evaluation/curves.h"
#include "sequela/evaluation/delong.h"

namespace sequela {
namespace {

const BootstrapOptions kFew{.num_resamples = 200, .seed = 4, .num_threads = 2};

// Two methods on 400 rows of 200 subjects, the second without the first 40; the first is right, the
// second half noise. Subgroup "b" of the column is noise to both.
BinaryTask example_task() {
  BinaryTask task{.name = "death"};
  SubgroupColumn column{.name = "ward", .values = {"a", "b", "empty"}};
  MethodScores good{.name = "good"}, poor{.name = "poor"};
  Random random(3);
  for (int32_t row = 0; row < 400; ++row) {
    const double truth = random.uniform(), noise = random.uniform();
    const bool is_noise = row % 3 == 0;
    task.subject_ids.push_back(row / 2);
    task.outcomes.push_back(random.uniform() < (is_noise ? 0.4 : truth));
    column.value_of.push_back(row % 10 == 9 ? -1 : is_noise);
    good.rows.push_back(row);
    good.probabilities.push_back(truth);
    if (row < 40) continue;
    poor.rows.push_back(row);
    poor.probabilities.push_back(0.3 * truth + 0.7 * noise);
  }
  task.methods = {good, poor};
  task.subgroups = {column};
  return task;
}

const FigureTable& table_of(const TaskReport& report, const std::string& method,
                            const std::string& value, bool is_gap = false) {
  for (const FigureTable& table : report.tables) {
    if (table.method == method && table.value == value && table.is_gap == is_gap) return table;
  }
  throw std::logic_error("no such table");
}

TEST(TaskReport, OfAMethodIsTheBootstrapOfItsRows) {
  const BinaryTask task = example_task();
  const TaskReport report = evaluate_task(task, kFew);
  EXPECT_EQ(report.num_rows, 400);
  EXPECT_EQ(report.num_subjects, 200);
  const ScoredOutcomes scored(task.methods[0].probabilities, task.outcomes);
  const Interval expected =
      bootstrap([&](auto weights) { return scored.auroc(weights); }, task.subject_ids, kFew);
  const Interval found = table_of(report, "good", "").figures[0].interval;
  EXPECT_NEAR(found.value, expected.value, 1e-12);
  EXPECT_NEAR(found.low, expected.low, 1e-12);
  EXPECT_NEAR(found.high, expected.high, 1e-12);
  EXPECT_EQ(table_of(report, "poor", "").num_rows, 360);
  EXPECT_NEAR(report.delong[0].low, delong_interval(scored).low, 1e-12);
}

TEST(TaskReport, SubgroupsHaveTheirOwnFiguresAndAGap) {
  const TaskReport report = evaluate_task(example_task(), kFew);
  const FigureTable &a = table_of(report, "good", "a"), &b = table_of(report, "good", "b");
  const FigureTable& gap = table_of(report, "good", "", true);
  EXPECT_EQ(a.num_rows + b.num_rows, gap.num_rows);
  EXPECT_LT(a.num_rows + b.num_rows, 400);
  const double auroc_a = a.figures[0].interval.value, auroc_b = b.figures[0].interval.value;
  EXPECT_NEAR(gap.figures[0].interval.value, auroc_a - auroc_b, 1e-12);
  EXPECT_GT(gap.figures[0].interval.low, 0);
  const FigureTable& empty = table_of(report, "good", "empty");
  EXPECT_EQ(empty.num_rows, 0);
  for (const FigureResult& figure : empty.figures) {
    EXPECT_TRUE(std::isnan(figure.interval.value));
    EXPECT_EQ(figure.why_not, "no rows");
  }
}

TEST(TaskReport, DifferencesAreOfTheCommonRows) {
  const BinaryTask task = example_task();
  const TaskReport report = evaluate_task(task, kFew);
  ASSERT_EQ(report.differences.size(), 1u);
  const DifferenceTable& table = report.differences[0];
  EXPECT_EQ(table.num_rows, 360);
  std::vector<double> good(task.methods[0].probabilities.begin() + 40,
                           task.methods[0].probabilities.end());
  const std::vector<uint8_t> outcomes(task.outcomes.begin() + 40, task.outcomes.end());
  const ScoredOutcomes first(good, outcomes), second(task.methods[1].probabilities, outcomes);
  EXPECT_NEAR(table.figures[0].test.difference.value, first.auroc() - second.auroc(), 1e-12);
  EXPECT_GT(table.figures[0].test.difference.low, 0);
  EXPECT_LE(table.figures[0].test.p_value, 0.02);
  EXPECT_NEAR(table.delong.p_value, delong_test(first, second).p_value, 1e-12);
}

TEST(TaskReport, IsTheSameForAnyNumberOfThreads) {
  BootstrapOptions one = kFew;
  one.num_threads = 1;
  const TaskReport a = evaluate_task(example_task(), one), b = evaluate_task(example_task(), kFew);
  ASSERT_EQ(a.tables.size(), b.tables.size());
  for (size_t t = 0; t < a.tables.size(); ++t) {
    for (size_t i = 0; i < kNumBinaryFigures; ++i) {
      const Interval &x = a.tables[t].figures[i].interval, &y = b.tables[t].figures[i].interval;
      EXPECT_TRUE(x.low == y.low || (std::isnan(x.low) && std::isnan(y.low)));
      EXPECT_TRUE(x.high == y.high || (std::isnan(x.high) && std::isnan(y.high)));
    }
  }
}

TEST(TaskReport, OneClassHasNoNumberAndNoDifference) {
  BinaryTask task = example_task();
  task.outcomes.assign(400, 0);
  std::vector<TaskReport> reports = {evaluate_task(task, kFew)};
  adjust_p_values(reports);
  const FigureResult& auroc = reports[0].tables[0].figures[0];
  EXPECT_TRUE(std::isnan(auroc.interval.value));
  EXPECT_EQ(auroc.why_not, "no positive row");
  EXPECT_EQ(reports[0].differences[0].figures[0].why_not, "no positive row");
  EXPECT_TRUE(std::isnan(reports[0].differences[0].figures[0].p_holm));
}

TEST(TaskReport, HolmCountsAllTasksOfAFigure) {
  std::vector<TaskReport> reports = {evaluate_task(example_task(), kFew),
                                     evaluate_task(example_task(), kFew)};
  adjust_p_values(reports);
  for (const TaskReport& report : reports) {
    const DifferenceResult& auroc = report.differences[0].figures[0];
    EXPECT_NEAR(auroc.p_holm, std::min(1.0, 2 * auroc.test.p_value), 1e-12);
  }
}

TEST(Curves, AreThinAndKeepTheirEnds) {
  const BinaryTask task = example_task();
  const ScoredOutcomes scored(task.methods[0].probabilities, task.outcomes);
  const auto all = threshold_curve(scored), thin = thin_threshold_curve(scored, 50);
  ASSERT_GT(all.size(), 50u);
  EXPECT_LE(thin.size(), 50u);
  EXPECT_GE(thin.size(), 40u);
  EXPECT_EQ(thin.front().threshold, all.front().threshold);
  EXPECT_EQ(thin.back().threshold, all.back().threshold);
  EXPECT_EQ(thin_threshold_curve(scored, 1000).size(), all.size());
  EXPECT_TRUE(thin_threshold_curve(ScoredOutcomes({.5}, {1}), 10).empty());
}

TEST(Curves, DecisionCurveHasTheNetBenefitOfItsThresholds) {
  const BinaryTask task = example_task();
  const BinaryMetrics metrics(task.methods[0].probabilities, task.outcomes);
  std::vector<double> values(kNumBinaryFigures);
  metrics.compute({}, values);
  const auto curve = decision_curve(metrics.scored());
  ASSERT_EQ(curve.size(), 99u);
  EXPECT_NEAR(curve[4].net_benefit,
              values[static_cast<size_t>(BinaryFigure::net_benefit_at_5_percent)], 1e-12);
  EXPECT_NEAR(curve[19].net_benefit,
              values[static_cast<size_t>(BinaryFigure::net_benefit_at_20_percent)], 1e-12);
  const double rate = static_cast<double>(metrics.scored().num_positive()) / 400;
  EXPECT_NEAR(curve[49].net_benefit_of_all, 2 * rate - 1, 1e-12);
  EXPECT_TRUE(decision_curve(ScoredOutcomes({}, {})).empty());
}

}  // namespace
}  // namespace sequela
