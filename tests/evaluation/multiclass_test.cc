#include "sequela/evaluation/multiclass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "sequela/evaluation/metrics.h"
#include "sequela/evaluation/regression.h"
#include "tests/evaluation/metric_numbers.h"

namespace sequela {
namespace {

const BootstrapOptions kQuick{.num_resamples = 50};

TEST(Multiclass, MeanOfEachClassAgainstTheOthers) {
  const std::vector<double> probabilities = {0.8, 0.1, 0.1, 0.1, 0.6, 0.3,
                                             0.2, 0.5, 0.3, 0.1, 0.7, 0.2};
  const std::vector<int64_t> labels = {0, 1, 1, 2};
  const std::vector<int64_t> groups = {0, 1, 2, 3};
  const MulticlassResult result = evaluate_multiclass(probabilities, labels, groups, kQuick);
  // One against all: class 0: 1; class 1: pairs (0.6, 0.5) against (0.1, 0.7): 2 of 4; class 2: 0.2
  // against 0.1, 0.3, 0.3: 1 of 3.
  EXPECT_NEAR(result.auroc.value, (1.0 + 0.5 + 1.0 / 3) / 3, 1e-12);
  EXPECT_EQ(result.num_classes, 3);
  EXPECT_EQ(result.num_rows, 4);
  EXPECT_DOUBLE_EQ(result.accuracy.value, 0.75);
  EXPECT_NEAR(result.log_loss.value, -(std::log(0.8 * 0.6 * 0.5 * 0.2)) / 4, 1e-12);
}

TEST(Multiclass, TwoClassesAreTheBinaryCase) {
  const std::vector<double> scores = {0.1, 0.4, 0.35, 0.8, 0.7};
  const std::vector<int64_t> labels = {0, 0, 1, 1, 0};
  std::vector<double> probabilities;
  for (const double score : scores) probabilities.insert(probabilities.end(), {1 - score, score});
  const MulticlassResult result =
      evaluate_multiclass(probabilities, labels, std::vector<int64_t>{0, 1, 2, 3, 4}, kQuick);
  const ScoredOutcomes binary(scores, {0, 0, 1, 1, 0});
  EXPECT_DOUBLE_EQ(result.auroc.value, binary.auroc());
  EXPECT_DOUBLE_EQ(result.average_precision.value, binary.average_precision());
  EXPECT_LE(result.auroc.low, result.auroc.value);
  EXPECT_GE(result.auroc.high, result.auroc.value);
}

TEST(Multiclass, EqualsScikitLearn) {
  int num_cases = 0;
  for (const auto& [name, one] : read_metric_cases("classes.json")) {
    if (!one.contains("labels")) continue;
    const auto probabilities = numbers_of<double>(one["probabilities"]);
    const auto labels = numbers_of<int64_t>(one["labels"]);
    const std::vector<double> weights = weights_of(one);
    const std::vector<double> values = multiclass_figures(probabilities, labels, weights);
    const char* const figures[] = {"accuracy", "log_loss", "auroc", "average_precision",
                                   "hand_till"};
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(values[i], one[figures[i]].get<double>(), kPeerTolerance)
          << name << " " << figures[i];
    }
    ++num_cases;
    if (!weights.empty()) continue;
    const MulticlassResult result = evaluate_multiclass(probabilities, labels, labels, kQuick);
    EXPECT_EQ(result.confusion, numbers_of<int64_t>(one["confusion"]));
    EXPECT_NEAR(result.hand_till.value, values[4], 1e-12);
  }
  EXPECT_EQ(num_cases, 2);
}

TEST(Regression, EqualsScikitLearnAndScipy) {
  int num_cases = 0;
  for (const auto& [name, one] : read_metric_cases("classes.json")) {
    if (!one.contains("values")) continue;
    const RegressionMetrics metrics(numbers_of<double>(one["values"]),
                                    numbers_of<double>(one["predicted"]));
    std::vector<double> values(kRegressionFigureNames.size());
    metrics.compute(weights_of(one), values);
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string figure(kRegressionFigureNames[i]);
      EXPECT_NEAR(values[i], one[figure].get<double>(), kPeerTolerance) << name << " " << figure;
    }
    ++num_cases;
  }
  EXPECT_EQ(num_cases, 2);
}

TEST(Regression, SaysWhyAFigureIsNotDefined) {
  const auto check = [](const RegressionMetrics& metrics, size_t figure, const char* why_not) {
    std::vector<double> values(kRegressionFigureNames.size());
    metrics.compute({}, values);
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(std::isnan(values[i]), !metrics.why_not(i).empty()) << kRegressionFigureNames[i];
    }
    EXPECT_EQ(metrics.why_not(figure), why_not);
  };
  check({{}, {}}, 0, "no rows");
  check({{.1, .1, .1}, {1, 2, 3}}, 2, "all values are equal");
  check({{1, 2, 3}, {.7, .7, .7}}, 3, "all predicted values are equal");
  check({{1, 2, 3}, {1, 2, 4}}, 3, "");
  EXPECT_THROW(RegressionMetrics({1}, {}), std::invalid_argument);
}

TEST(Multiclass, NothingToCompareIsNotANumber) {
  const MulticlassResult none = evaluate_multiclass({}, {}, {});
  EXPECT_EQ(none.num_rows, 0);
  EXPECT_TRUE(std::isnan(none.accuracy.value) && std::isnan(none.auroc.value));
  const MulticlassResult one = evaluate_multiclass(
      std::vector<double>{0.9, 0.1}, std::vector<int64_t>{0}, std::vector<int64_t>{7});
  EXPECT_DOUBLE_EQ(one.accuracy.value, 1);
  EXPECT_EQ(one.num_classes, 0);
  EXPECT_TRUE(std::isnan(one.auroc.value) && std::isnan(one.average_precision.value));
}

TEST(Multiclass, SizesMustFit) {
  const std::vector<double> probabilities = {0.5, 0.5};
  const std::vector<int64_t> groups = {1};
  EXPECT_THROW(evaluate_multiclass(probabilities, std::vector<int64_t>{2}, groups),
               std::invalid_argument);
  EXPECT_THROW(evaluate_multiclass(probabilities, std::vector<int64_t>{0}, {}),
               std::invalid_argument);
  EXPECT_THROW(evaluate_multiclass(std::vector<double>{1, 2, 3}, std::vector<int64_t>{0, 0},
                                   std::vector<int64_t>{0, 1}),
               std::invalid_argument);
}

}  // namespace
}  // namespace sequela
