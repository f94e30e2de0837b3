#include "sequela/evaluation/survival_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "sequela/evaluation/bootstrap.h"
#include "sequela/evaluation/concordance.h"
#include "tests/evaluation/metric_numbers.h"

namespace sequela {
namespace {

SurvivalPredictions predictions_of(const Json& one) {
  return {numbers_of<double>(one["times"]), numbers_of<uint8_t>(one["kinds"]),
          numbers_of<double>(one["scores"]), numbers_of<double>(one["horizons"]),
          numbers_of<double>(one["survival"])};
}

std::vector<double> figures_of(const SurvivalMetrics& metrics,
                               std::span<const double> weights = {}) {
  std::vector<double> values(metrics.names().size());
  metrics.compute(weights, values);
  return values;
}

void expect_near(double value, const Json& expected, const std::string& what) {
  EXPECT_NEAR(value, expected.get<double>(), kPeerTolerance) << what;
}

TEST(SurvivalMetrics, EqualThePeers) {
  for (const auto& [name, one] : read_metric_cases("survival.json")) {
    const std::vector<double> weights = weights_of(one);
    const std::vector<double> values = figures_of(SurvivalMetrics(predictions_of(one)), weights);
    ASSERT_EQ(values.size(), 4 + 3 * one["horizons"].size());
    expect_near(values[0], one["harrell"], name);
    expect_near(values[0], one["harrell_sksurv"], name);
    expect_near(values[1], one["uno"], name);
    expect_near(values[2], one["mean_auc"], name);
    expect_near(values[3], one["integrated_brier"], name);
    for (size_t h = 0; h < one["horizons"].size(); ++h) {
      expect_near(values[4 + 3 * h], one["auc"][h], name);
      expect_near(values[5 + 3 * h], one["brier"][h], name);
    }
  }
}

TEST(SurvivalMetrics, CurvesEqualThePeers) {
  for (const auto& [name, one] : read_metric_cases("survival.json")) {
    const SurvivalPredictions rows = predictions_of(one);
    const std::vector<double> weights = weights_of(one);
    const FollowUp follow_up{rows.times, rows.kinds, weights};
    const std::vector<int32_t> order = order_by_time(rows.times);
    const StepCurve survival = kaplan_meier(follow_up, order);
    for (size_t h = 0; h < rows.horizons.size(); ++h) {
      expect_near(survival.at(rows.horizons[h]), one["kaplan_meier"][h], name);
      for (const uint8_t kind : {1, 2}) {
        expect_near(cumulative_incidence(follow_up, order, kind).at(rows.horizons[h]),
                    one["incidence"][2 * h + kind - 1], name);
      }
    }
    if (!weights.empty()) continue;
    std::vector<double> risks;
    for (size_t row = 0; row < rows.times.size(); ++row) {
      risks.push_back(1 - rows.survival[3 * row + 1]);
    }
    const auto groups = calibrate_at_horizon(follow_up, risks, rows.horizons[1], 5);
    ASSERT_EQ(groups.size(), one["observed_by_group"].size());
    for (size_t g = 0; g < groups.size(); ++g) {
      expect_near(groups[g].observed, one["observed_by_group"][g], name);
      EXPECT_GE(groups[g].mean_risk, g > 0 ? groups[g - 1].mean_risk : 0);
    }
  }
}

TEST(SurvivalMetrics, IncidencesAndSurvivalSumToOne) {
  const Json one = read_metric_cases("survival.json").at("ties");
  const SurvivalPredictions rows = predictions_of(one);
  const FollowUp follow_up{rows.times, rows.kinds};
  const std::vector<int32_t> order = order_by_time(rows.times);
  for (const double time : {0.0, 1.0, 3.0, 8.0, 100.0}) {
    EXPECT_NEAR(kaplan_meier(follow_up, order).at(time) +
                    cumulative_incidence(follow_up, order, 1).at(time) +
                    cumulative_incidence(follow_up, order, 2).at(time),
                1, 1e-12);
  }
}

TEST(SurvivalMetrics, ObservedOverExpectedIsOneForTheCurveItself) {
  SurvivalPredictions rows{{1, 2, 3, 4, 5}, {1, 0, 1, 1, 0}, {5, 4, 3, 2, 1}, {3}, {}};
  const double survival = kaplan_meier({rows.times, rows.kinds}, order_by_time(rows.times)).at(3);
  rows.survival.assign(5, survival);
  EXPECT_NEAR(figures_of(SurvivalMetrics(rows))[6], 1, 1e-12);
}

TEST(SurvivalMetrics, SayWhyAFigureIsNotDefined) {
  const auto why_not = [](const SurvivalPredictions& rows, const std::string& name) {
    const SurvivalMetrics metrics(rows);
    const std::vector<double> values = figures_of(metrics);
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(std::isnan(values[i]), !metrics.why_not(i).empty()) << metrics.names()[i];
    }
    const auto place = std::ranges::find(metrics.names(), name);
    return metrics.why_not(place - metrics.names().begin());
  };
  const SurvivalPredictions none{{}, {}, {}, {1, 2}, {}};
  EXPECT_EQ(why_not(none, "harrell_c"), "no rows");
  const SurvivalPredictions censored{{1, 2, 4}, {0, 0, 0}, {1, 2, 3}, {1.5, 2}, {}};
  EXPECT_EQ(why_not(censored, "harrell_c"), "all rows are censored");
  EXPECT_EQ(why_not(censored, "auc_at_2"), "all rows are censored");
  EXPECT_EQ(why_not(censored, "brier_at_2"), "no predicted survival");
  const SurvivalPredictions together{{2, 2}, {1, 1}, {1, 2}, {}, {}};
  EXPECT_EQ(why_not(together, "harrell_c"), "no pair of rows to compare");
  EXPECT_EQ(why_not(together, "uno_c"), "no horizon");
  const SurvivalPredictions late{{1, 2, 3}, {1, 0, 1}, {3, 2, 1}, {3}, {.5, .5, .5}};
  EXPECT_EQ(why_not(late, "auc_at_3"), "follow-up ends by the horizon");
  EXPECT_EQ(why_not(late, "brier_at_3"), "follow-up ends by the horizon");
  EXPECT_EQ(why_not(late, "integrated_brier"), "only one horizon");
}

TEST(SurvivalMetrics, EverythingCensoredHasABrierScoreAndAFlatCurve) {
  const SurvivalPredictions rows{{1, 2, 4}, {0, 0, 0}, {1, 2, 3}, {1.5}, {.9, .8, .7}};
  const SurvivalMetrics metrics(rows);
  // Of the three rows the last two are at risk after 1.5, each for 1.5 rows.
  EXPECT_NEAR(figures_of(metrics)[5], 1.5 * (.2 * .2 + .3 * .3) / 3, 1e-12);
  EXPECT_EQ(kaplan_meier({rows.times, rows.kinds}, order_by_time(rows.times)).at(4), 1);
}

TEST(SurvivalMetrics, HarrellIsTheConcordanceOfOneBin) {
  const Json one = read_metric_cases("survival.json").at("ties");
  const SurvivalPredictions rows = predictions_of(one);
  const std::vector<float> seconds(rows.times.begin(), rows.times.end()),
      scores(rows.scores.begin(), rows.scores.end());
  std::vector<uint8_t> is_event;
  for (const uint8_t kind : rows.kinds) is_event.push_back(kind != 0);
  const std::vector<double> edges = {0, 1e9};
  EXPECT_NEAR(figures_of(SurvivalMetrics(rows))[0],
              time_dependent_concordance({seconds, is_event, scores, edges}), 1e-12);
}

TEST(SurvivalMetrics, ResampleToTheSameDigitsOnAnyNumberOfThreads) {
  const SurvivalMetrics metrics(predictions_of(read_metric_cases("survival.json").at("distinct")));
  std::vector<int64_t> groups;
  for (int64_t i = 0; i < 250; ++i) groups.push_back(i / 2);
  const WeightedMetrics all = [&](auto weights, auto values) { metrics.compute(weights, values); };
  const auto run = [&](int num_threads) {
    return resample_figures(all, static_cast<int>(metrics.names().size()), groups,
                            {.num_resamples = 40, .num_threads = num_threads});
  };
  const ResampledFigures one = run(1), three = run(3);
  EXPECT_EQ(one.resampled, three.resampled);
  const Interval harrell = to_interval(one.values[0], one.resampled[0]);
  EXPECT_LT(harrell.low, harrell.value);
  EXPECT_GT(harrell.high, harrell.value);
}

TEST(SurvivalMetrics, SizesMustFit) {
  EXPECT_THROW(SurvivalMetrics({{1}, {1, 0}, {1}, {}, {}}), std::invalid_argument);
  EXPECT_THROW(SurvivalMetrics({{1}, {1}, {1}, {2, 2}, {}}), std::invalid_argument);
  EXPECT_THROW(SurvivalMetrics({{1}, {1}, {1}, {1, 2}, {.5}}), std::invalid_argument);
  EXPECT_THROW(SurvivalMetrics({{std::nan("")}, {1}, {1}, {}, {}}), std::invalid_argument);
}

}  // namespace
}  // namespace sequela
