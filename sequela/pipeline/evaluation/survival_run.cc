#include "sequela/pipeline/evaluation/survival_run.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/evaluation/text_table.h"
#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/evaluation/report.h"
#include "sequela/pipeline/evaluation/scored_task.h"

namespace sequela {
namespace {

constexpr const char* kShownFigures[] = {"harrell_c", "uno_c", "mean_auc", "integrated_brier"};

Json figure_json(const NamedFigure& figure) {
  Json json = interval_json(figure.interval);
  if (!figure.why_not.empty()) json["why_not"] = figure.why_not;
  return json;
}

Json survival_band_json(const SurvivalBand& band) {
  Json points = Json::array();
  for (size_t i = 0; i < band.days.size(); ++i) {
    Json point = {{"days", band.days[i]}};
    point.update(interval_json(band.values[i]));
    points.push_back(std::move(point));
  }
  return points;
}

Json calibration_json(const SurvivalReport& report, const SurvivalReport::MethodFigures& method) {
  Json horizons = Json::array();
  for (size_t h = 0; h < report.horizons.size(); ++h) {
    Json groups = Json::array();
    for (const RiskGroup& group : method.calibration[h]) {
      groups.push_back({{"mean_risk", group.mean_risk},
                        {"observed", number_json(group.observed)},
                        {"num_rows", group.num_rows}});
    }
    horizons.push_back({{"horizon", report.horizons[h]}, {"groups", groups}});
  }
  return horizons;
}

Json survival_method_json(const SurvivalReport& report,
                          const SurvivalReport::MethodFigures& method) {
  Json figures = Json::object(), survival = Json::array();
  for (const NamedFigure& figure : method.figures) figures[figure.name] = figure_json(figure);
  survival.push_back({{"days", 0}, {"value", 1}});
  for (size_t h = 0; h < report.horizons.size(); ++h)
    survival.push_back({{"days", report.horizons[h]}, {"value", method.mean_survival[h]}});
  return {{"method", method.method},
          {"num_rows", report.num_rows},
          {"figures", figures},
          {"calibration", calibration_json(report, method)},
          {"survival", survival}};
}

Json survival_difference_json(const SurvivalReport& report,
                              const SurvivalReport::Difference& difference) {
  Json figures = Json::object();
  for (const NamedTest& test : difference.figures) {
    Json& figure = figures[test.name];
    figure = interval_json(test.test.difference);
    figure["p_value"] = number_json(test.test.p_value);
    figure["p_holm"] = number_json(test.p_holm);
    if (!test.why_not.empty()) figure["why_not"] = test.why_not;
  }
  return {{"first", difference.first},
          {"second", difference.second},
          {"num_rows", report.num_rows},
          {"figures", figures}};
}

}  // namespace

SurvivalTask score_survival_task(const LabelTask& task, std::span<Method* const> methods,
                                 const EvaluateMethodsOptions& options) {
  SurvivalTask scored{.name = task.name};
  scored.subject_ids = values_at(task.subject_ids, task.test);
  scored.days = values_at(task.days, task.test);
  scored.ends = values_at(task.ends, task.test);
  const double last = std::ranges::max(scored.days);
  for (const double days : options.horizons) {
    if (days < last) scored.horizons.push_back(days);
  }
  std::ranges::sort(scored.horizons);
  scored.horizons.erase(std::unique(scored.horizons.begin(), scored.horizons.end()),
                        scored.horizons.end());
  if (scored.horizons.empty()) {
    throw ConfigError("horizons", options.horizons.empty() ? "" : str(options.horizons.front()),
                      str("days below ", last, ", the longest follow-up of ", task.name));
  }
  for (Method* method : methods) {
    throw_if_stopped();
    const std::string why_not = method->why_not(task);
    if (!why_not.empty()) {
      log_info(str(task.name, ": without ", method->name(), ": ", why_not));
      continue;
    }
    scored.methods.push_back(
        method->predict_survival(task, {task.train, task.validation}, scored.horizons));
  }
  return scored;
}

Json to_json(const SurvivalReport& report, const LabelTask& task) {
  Json json = {{"task", report.name},
               {"kind", "time_to_event"},
               {"num_rows", report.num_rows},
               {"num_events", report.num_events},
               {"num_competing", report.num_competing},
               {"num_subjects", report.num_subjects},
               {"sides", sides_json(task)},
               {"horizons", report.horizons},
               {"methods", Json::array()},
               {"differences", Json::array()}};
  for (const auto& method : report.methods)
    json["methods"].push_back(survival_method_json(report, method));
  for (const auto& difference : report.differences)
    json["differences"].push_back(survival_difference_json(report, difference));
  Json incidence = {{{"kind", "event"}, {"points", survival_band_json(report.incidence)}}};
  if (report.num_competing > 0) {
    incidence.push_back({{"kind", "competing"}, {"points", survival_band_json(report.competing)}});
  }
  json["observed"] = {{"survival", survival_band_json(report.survival)},
                      {"cumulative_incidence", incidence}};
  return json;
}

std::string to_csv(const SurvivalReport& report) {
  std::string text;
  for (const auto& method : report.methods) {
    for (const NamedFigure& figure : method.figures) {
      text += csv_line({report.name, method.method, "all", figure.name, figure.interval,
                        report.num_rows, report.num_events, figure.why_not, "", ""});
    }
  }
  for (const auto& difference : report.differences) {
    const std::string name = difference.first + " - " + difference.second;
    for (const NamedTest& test : difference.figures) {
      text += csv_line({report.name, name, "all", test.name, test.test.difference, report.num_rows,
                        report.num_events, test.why_not, csv_number(test.test.p_value),
                        csv_number(test.p_holm)});
    }
  }
  return text;
}

std::string to_text(const std::vector<SurvivalReport>& reports) {
  std::string text;
  for (const SurvivalReport& report : reports) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& method : report.methods) {
      std::vector<std::string>& row = rows.emplace_back();
      row = {method.method, str(report.num_rows), str(report.num_events)};
      for (const char* name : kShownFigures) {
        row.push_back(
            to_text(std::ranges::find(method.figures, name, &NamedFigure::name)->interval));
      }
    }
    text += (text.empty() ? "" : "\n") +
            format_text_table({report.name, "rows", "events", "Harrell's C (95 %)",
                               "Uno's C (95 %)", "mean AUC (95 %)", "int. Brier (95 %)"},
                              rows);
  }
  return text;
}

}  // namespace sequela
