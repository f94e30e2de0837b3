#include "sequela/evaluation/cox.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/random.h"

namespace sequela {
namespace {

struct MadeUpFollowUp {
  DenseMatrix features;
  std::vector<double> times;
  std::vector<uint8_t> kinds;
  FollowUp rows() const { return {times, kinds}; }
};

// 24 rows with many ties, a quarter censored.
MadeUpFollowUp tied_rows() {
  MadeUpFollowUp made{{24, 2, {}}, {}, {}};
  for (int i = 1; i <= 24; ++i) {
    made.features.values.push_back(static_cast<float>((7 * i * i + 3 * i) % 11 / 5.0 - 1));
    made.features.values.push_back(static_cast<float>(i * 5 % 7 / 3.0));
    made.times.push_back(i * 13 % 9 + 1);
    made.kinds.push_back(i % 4 != 0);
  }
  return made;
}

// By statsmodels 0.15.0, PHReg(times, features, status=kinds, ties="breslow").fit(): params, llf,
// and baseline_cumulative_hazard, which there stands at the time after.
TEST(Cox, EqualsStatsmodels) {
  const MadeUpFollowUp made = tied_rows();
  const CoxModel model =
      fit_cox(made.features, made.rows(), {.l2 = 0, .max_steps = 2000, .tolerance = 1e-10});
  EXPECT_NEAR(model.weights[0], 0.5774677049223417, 1e-5);
  EXPECT_NEAR(model.weights[1], -0.5640244618303594, 1e-5);
  EXPECT_NEAR(cox_loss(model.scores(made.features), made.rows()), 42.88286820466984 / 18, 1e-8);
  const double center = model.weights[0] * model.means[0] + model.weights[1] * model.means[1];
  const std::vector<std::pair<double, double>> hazards = {{1, 0.14171634055491172},
                                                          {2, 0.21530291428725729},
                                                          {4, 0.6551992549622554},
                                                          {7, 1.8435072099330294},
                                                          {8, 2.933866637826965}};
  for (const auto& [time, hazard] : hazards)
    EXPECT_NEAR(model.cumulative_hazard.at(time) * std::exp(-center), hazard, 1e-5) << time;
  EXPECT_EQ(model.cumulative_hazard.at(0.5), 0);
  EXPECT_NEAR(model.survival(0.3 - center, 4), std::exp(-0.6551992549622554 * std::exp(0.3)), 1e-5);
}

// Such as a time in seconds, or a laboratory value of one decimal on a large base.
TEST(Cox, ColumnsFarFromZeroGiveTheSameSurvival) {
  const MadeUpFollowUp made = tied_rows();
  MadeUpFollowUp far = tied_rows();
  for (size_t i = 0; i < far.features.values.size(); ++i)
    far.features.values[i] = made.features.values[i] + (i % 2 == 0 ? 1e4f : -3e3f);
  const CoxModel near_model = fit_cox(made.features, made.rows(), {});
  const CoxModel far_model = fit_cox(far.features, far.rows(), {});
  const std::vector<double> near_scores = near_model.scores(made.features);
  const std::vector<double> far_scores = far_model.scores(far.features);
  for (size_t i = 0; i < near_scores.size(); ++i) {
    for (const double time : {1.0, 4.0, 8.0}) {
      EXPECT_NEAR(far_model.survival(far_scores[i], time),
                  near_model.survival(near_scores[i], time), 0.01)
          << i;
    }
  }
}

// Hazards exp(x): the weight is found again, and a stronger regularisation makes it smaller.
TEST(Cox, FindsTheWeightThatMadeTheTimes) {
  MadeUpFollowUp made{{4000, 1, {}}, {}, {}};
  Random random(8);
  for (int i = 0; i < 4000; ++i) {
    const double x = random.normal();
    const double time = random.exponential() / std::exp(x), end = 3 * random.uniform();
    made.features.values.push_back(static_cast<float>(x));
    made.times.push_back(std::min(time, end));
    made.kinds.push_back(time <= end);
  }
  const CoxModel model = fit_cox(made.features, made.rows(), {.l2 = 0});
  EXPECT_NEAR(model.weights[0], 1, 0.06);
  EXPECT_NEAR(model.cumulative_hazard.at(1), 1, 0.1);
  EXPECT_LT(fit_cox(made.features, made.rows(), {.l2 = 1}).weights[0], model.weights[0] / 2);
}

TEST(Cox, ValidationRowsChooseTheRegularisation) {
  // Of the validation rows the feature tells the contrary: the strongest regularisation is best.
  const MadeUpFollowUp made = tied_rows();
  MadeUpFollowUp contrary = tied_rows();
  for (float& value : contrary.features.values) value = -value;
  const double choices[] = {10, 0.1, 1e-4};
  const auto chosen = [&](const MadeUpFollowUp& validation) {
    return fit_cox_by_validation({made.features, made.rows()},
                                 {validation.features, validation.rows()}, choices)
        .weights[0];
  };
  EXPECT_EQ(chosen(contrary), fit_cox(made.features, made.rows(), {.l2 = 10}).weights[0]);
  EXPECT_EQ(chosen(made), fit_cox(made.features, made.rows(), {.l2 = 1e-4}).weights[0]);
}

TEST(Cox, ConstantColumnsWeighNothingAndBadRowsAreRefused) {
  MadeUpFollowUp made = tied_rows();
  for (size_t i = 1; i < made.features.values.size(); i += 2) made.features.values[i] = 7;
  EXPECT_EQ(fit_cox(made.features, made.rows(), {}).weights[1], 0);
  std::fill(made.kinds.begin(), made.kinds.end(), 0);
  EXPECT_THROW(fit_cox(made.features, made.rows(), {}), std::invalid_argument);
  EXPECT_TRUE(std::isnan(cox_loss(std::vector<double>(24), made.rows())));
  made.kinds.pop_back();
  EXPECT_THROW(fit_cox(made.features, made.rows(), {}), std::invalid_argument);
}

}  // namespace
}  // namespace sequela
