#include "sequela/evaluation/survival_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "sequela/core/nan.h"

namespace sequela {
namespace {

constexpr int kCurvePlaces = 100;
constexpr uint8_t kTheEvent = 1, kCompetingEvent = 2;

// The event alone counts as one.
std::vector<uint8_t> cause_of(const std::vector<uint8_t>& ends) {
  std::vector<uint8_t> kinds;
  for (const uint8_t end : ends) kinds.push_back(end == kTheEvent ? 1 : 0);
  return kinds;
}

// Figures of all methods on the same resamples.
class SurvivalEvaluation {
 public:
  SurvivalEvaluation(const SurvivalTask& task, const std::vector<uint8_t>& kinds,
                     const BootstrapOptions& options)
      : options_(options) {
    for (const SurvivalScores& method : task.methods)
      metrics_.emplace_back(
          SurvivalPredictions{task.days, kinds, method.scores, task.horizons, method.survival});
    if (metrics_.empty()) return;
    num_figures_ = metrics_.front().names().size();
    resampled_ = resample_figures(
        [&](std::span<const double> weights, std::span<double> values) {
          for (size_t m = 0; m < metrics_.size(); ++m)
            metrics_[m].compute(weights, values.subspan(m * num_figures_, num_figures_));
        },
        static_cast<int>(metrics_.size() * num_figures_), task.subject_ids, options);
  }

  std::vector<NamedFigure> figures_of(size_t method) const {
    std::vector<NamedFigure> figures;
    for (size_t i = 0; i < num_figures_; ++i) {
      const size_t place = method * num_figures_ + i;
      figures.push_back(to_figure(metrics_[method].names()[i], resampled_.values[place],
                                  resampled_.resampled[place], metrics_[method].why_not(i),
                                  options_.level));
    }
    return figures;
  }

  std::vector<NamedTest> tests_of(size_t first, size_t second) const {
    std::vector<NamedTest> tests;
    for (size_t i = 0; i < num_figures_; ++i) {
      NamedTest& test = tests.emplace_back();
      test.name = metrics_[first].names()[i];
      test.test = to_paired_test(resampled_, first * num_figures_ + i, second * num_figures_ + i,
                                 options_.level);
      test.p_holm = kNaN;
      for (const size_t side : {second, first}) {
        const std::string why_not = metrics_[side].why_not(i);
        if (!why_not.empty()) test.why_not = why_not;
      }
      if (test.why_not.empty() && std::isnan(test.test.p_value)) test.why_not = kRarelyDefined;
    }
    return tests;
  }

 private:
  const BootstrapOptions& options_;
  std::vector<SurvivalMetrics> metrics_;
  size_t num_figures_ = 0;
  ResampledFigures resampled_;
};

// A curve of the rows at evenly spaced days.
template <class Curve>
SurvivalBand band_of(const SurvivalTask& task, const BootstrapOptions& options, Curve curve) {
  SurvivalBand band;
  const double last = task.days.empty() ? 0 : std::ranges::max(task.days);
  for (int i = 0; i <= kCurvePlaces; ++i) band.days.push_back(last * i / kCurvePlaces);
  const std::vector<int32_t> order = order_by_time(task.days);
  const ResampledFigures resampled = resample_figures(
      [&](std::span<const double> weights, std::span<double> values) {
        const StepCurve steps = curve(FollowUp{task.days, task.ends, weights}, order);
        for (size_t i = 0; i < values.size(); ++i) values[i] = steps.at(band.days[i]);
      },
      kCurvePlaces + 1, task.subject_ids, options);
  for (size_t i = 0; i < band.days.size(); ++i)
    band.values.push_back(to_interval(resampled.values[i], resampled.resampled[i], options.level));
  return band;
}

SurvivalReport::MethodFigures figures_of(const SurvivalTask& task, size_t method,
                                         const std::vector<uint8_t>& kinds,
                                         const SurvivalEvaluation& evaluation) {
  const SurvivalScores& scores = task.methods[method];
  SurvivalReport::MethodFigures made{.method = scores.method,
                                     .figures = evaluation.figures_of(method),
                                     .calibration = {},
                                     .mean_survival = {}};
  const size_t num = task.horizons.size();
  for (size_t h = 0; h < num; ++h) {
    std::vector<double> risks;
    double sum = 0;
    for (size_t row = 0; row < task.days.size(); ++row) {
      risks.push_back(1 - scores.survival[row * num + h]);
      sum += scores.survival[row * num + h];
    }
    made.calibration.push_back(calibrate_at_horizon({task.days, kinds}, risks, task.horizons[h]));
    made.mean_survival.push_back(sum / static_cast<double>(task.days.size()));
  }
  return made;
}

}  // namespace

SurvivalReport evaluate_survival_task(const SurvivalTask& task, const BootstrapOptions& options) {
  SurvivalReport report{.name = task.name, .horizons = task.horizons};
  report.num_rows = static_cast<int64_t>(task.days.size());
  report.num_events = std::ranges::count(task.ends, kTheEvent);
  report.num_competing = std::ranges::count(task.ends, kCompetingEvent);
  report.num_subjects = static_cast<int64_t>(
      std::set<int64_t>(task.subject_ids.begin(), task.subject_ids.end()).size());
  const std::vector<uint8_t> kinds = cause_of(task.ends);
  const SurvivalEvaluation evaluation(task, kinds, options);
  for (size_t m = 0; m < task.methods.size(); ++m) {
    report.methods.push_back(figures_of(task, m, kinds, evaluation));
    for (size_t other = m + 1; other < task.methods.size(); ++other)
      report.differences.push_back(
          {task.methods[m].method, task.methods[other].method, evaluation.tests_of(m, other)});
  }
  report.survival = band_of(task, options, [&](const FollowUp& rows, const auto& order) {
    return kaplan_meier({rows.times, kinds, rows.weights}, order);
  });
  report.incidence = band_of(task, options, [](const FollowUp& rows, const auto& order) {
    return cumulative_incidence(rows, order, kTheEvent);
  });
  if (report.num_competing > 0) {
    report.competing = band_of(task, options, [](const FollowUp& rows, const auto& order) {
      return cumulative_incidence(rows, order, kCompetingEvent);
    });
  }
  return report;
}

void adjust_p_values(std::vector<SurvivalReport>& reports) {
  std::map<std::string, std::vector<NamedTest*>> families;
  for (SurvivalReport& report : reports) {
    for (SurvivalReport::Difference& difference : report.differences) {
      for (NamedTest& test : difference.figures) families[test.name].push_back(&test);
    }
  }
  for (const auto& [name, tests] : families) {
    std::vector<double> p_values;
    for (const NamedTest* test : tests) p_values.push_back(test->test.p_value);
    p_values = adjust_by_holm(p_values);
    for (size_t i = 0; i < tests.size(); ++i) tests[i]->p_holm = p_values[i];
  }
}

}  // namespace sequela
