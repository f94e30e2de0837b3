#include "sequela/evaluation/logistic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace sequela {
namespace {

struct Example {
  DenseMatrix features{60, 4, {}};
  std::vector<uint8_t> outcomes;

  Example() {
    for (int i = 0; i < 60; ++i) {
      for (int j = 0; j < 4; ++j) {
        features.values.push_back(
            static_cast<float>(std::sin(1.3 * i + 0.7 * j * j) + (j == 3 ? 5 : 0)));
      }
      outcomes.push_back(std::sin(1.3 * i) + .8 * std::cos(2.1 * i) + .5 * std::sin(.3 * i * i) >
                         0);
    }
  }
};

SparseMatrix to_sparse(const DenseMatrix& dense) {
  SparseMatrix sparse;
  sparse.num_rows = dense.num_rows;
  sparse.num_columns = dense.num_columns;
  for (int64_t i = 0; i < dense.num_rows; ++i) {
    for (int64_t c = 0; c < dense.num_columns; ++c) {
      if (dense.row(i)[c] == 0) continue;
      sparse.columns.push_back(static_cast<int32_t>(c));
      sparse.values.push_back(dense.row(i)[c]);
    }
    sparse.row_offsets.push_back(static_cast<int64_t>(sparse.columns.size()));
  }
  return sparse;
}

// Expected numbers: scikit-learn 1.9, C = 1 / (l2 * rows), on standardised features.
TEST(Logistic, EqualsScikitLearn) {
  const Example example;
  const LogisticModel model =
      fit_logistic(example.features, example.outcomes, {.l2 = 0.05, .tolerance = 1e-7});
  const std::vector<double> expected = {0.5830093, 0.26848166, -0.64314217, 0.57820899};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(model.weights[i], expected[i], 1e-4);
  EXPECT_NEAR(model.intercept, -2.630538245643688, 5e-4);
  const std::vector<double> probabilities = model.predict(example.features);
  EXPECT_NEAR(probabilities[0], 0.55669122, 1e-4);
  EXPECT_NEAR(probabilities[1], 0.89588614, 1e-4);
  EXPECT_NEAR(probabilities[2], 0.78674059, 1e-4);
}

// Only the intercept tells centred from uncentred columns, and it is free.
TEST(Logistic, SparseEqualsDense) {
  const Example example;
  const LogisticOptions options{.l2 = 0.05, .max_steps = 5000, .tolerance = 1e-7};
  const LogisticModel dense = fit_logistic(example.features, example.outcomes, options);
  const SparseMatrix features = to_sparse(example.features);
  const LogisticModel sparse = fit_logistic(features, example.outcomes, options);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(sparse.weights[i], dense.weights[i], 2e-3);
  const auto a = dense.predict(example.features), b = sparse.predict(features);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-3);
}

TEST(Logistic, AStartDoesNotChangeTheResult) {
  const Example example;
  const LogisticModel strong = fit_logistic(example.features, example.outcomes, {.l2 = 10});
  const LogisticModel cold = fit_logistic(example.features, example.outcomes, {.l2 = 0.05});
  const LogisticModel warm =
      fit_logistic(example.features, example.outcomes, {.l2 = 0.05}, &strong);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(warm.weights[i], cold.weights[i], 1e-3);
}

TEST(Logistic, ConstantColumnsGetNoWeight) {
  Example example;
  for (int i = 0; i < 60; ++i) example.features.values[4 * i + 2] = 0.1f;
  const LogisticModel model = fit_logistic(example.features, example.outcomes, {});
  EXPECT_EQ(model.weights[2], 0);
  EXPECT_TRUE(std::isfinite(model.intercept));
}

TEST(Logistic, SurvivesOneClassAndPerfectSeparation) {
  Example example;
  for (int i = 0; i < 60; ++i) example.outcomes[i] = example.features.row(i)[0] > 0;
  const LogisticModel separated = fit_logistic(example.features, example.outcomes, {.l2 = 1e-4});
  EXPECT_TRUE(std::isfinite(separated.weights[0]));
  EXPECT_GT(separated.weights[0], 1);
  example.outcomes.assign(60, 1);
  for (const double p :
       fit_logistic(example.features, example.outcomes, {}).predict(example.features)) {
    EXPECT_GT(p, 0.99);
  }
}

TEST(Logistic, RefusesWhatCannotBeFitted) {
  Example example;
  EXPECT_THROW(fit_logistic(DenseMatrix{0, 4, {}}, {}, {}), std::invalid_argument);
  EXPECT_THROW(fit_logistic(example.features, std::vector<uint8_t>(59), {}), std::invalid_argument);
  example.features.values[17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(fit_logistic(example.features, example.outcomes, {}), std::invalid_argument);
}

}  // namespace
}  // namespace sequela
