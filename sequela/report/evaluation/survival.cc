#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/report/evaluation/parts.h"
#include "sequela/report/html.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

void add_curve(const Json& points, const std::string& name, PageTable& table) {
  for (const Json& point : points) {
    table.rows.push_back({name, number_field(point, "days"), number_field(point, "value"),
                          number_field(point, "low"), number_field(point, "high")});
  }
}

Chart day_chart(const std::string& y) {
  return {.series = "Curve", .x = "Days", .y = y, .low = "Low", .high = "High"};
}

ShownFigure survival_figure(const Json& task, const MethodTitles& titles) {
  PageTable table{{"Curve", "Days", "Survival", "Low", "High"}, {}};
  add_curve(list_field(field(task, "observed"), "survival"), "observed (Kaplan-Meier)", table);
  for (const Json& method : list_field(task, "methods")) {
    add_curve(list_field(method, "survival"), titles.of(text_field(method, "method")), table);
  }
  return {"Survival", "Observed, and the mean of what each method predicts.", day_chart("Survival"),
          std::move(table)};
}

ShownFigure incidence_figure(const Json& task) {
  PageTable table{{"Curve", "Days", "Cumulative incidence", "Low", "High"}, {}};
  for (const Json& curve : list_field(field(task, "observed"), "cumulative_incidence")) {
    add_curve(list_field(curve, "points"), text_field(curve, "kind"), table);
  }
  Chart chart = day_chart("Cumulative incidence");
  chart.is_step = true;
  return {"Cumulative incidence", "Observed, with competing events (Aalen-Johansen).", chart,
          std::move(table)};
}

ShownFigure calibration_figure(const Json& task, const MethodTitles& titles) {
  PageTable table{{"Method and days", "Mean predicted risk", "Observed risk", "Rows"}, {}};
  for (const Json& method : list_field(task, "methods")) {
    for (const Json& horizon : list_field(method, "calibration")) {
      const std::string name = str(titles.of(text_field(method, "method")), ", ",
                                   number_text(number_field(horizon, "horizon")), " days");
      for (const Json& group : list_field(horizon, "groups")) {
        table.rows.push_back({name, number_field(group, "mean_risk"),
                              number_field(group, "observed"), to_cell(field(group, "num_rows"))});
      }
    }
  }
  return {"Calibration at horizons",
          "Groups of equal size by predicted risk; right probabilities lie on the dotted line.",
          {.series = "Method and days",
           .x = "Mean predicted risk",
           .y = "Observed risk",
           .has_diagonal = true},
          std::move(table)};
}

}  // namespace

std::vector<ShownFigure> survival_figures(const Json& task, const MethodTitles& titles) {
  std::vector<ShownFigure> figures;
  for (ShownFigure& figure :
       std::vector<ShownFigure>{survival_figure(task, titles), incidence_figure(task),
                                calibration_figure(task, titles)}) {
    if (!figure.table.rows.empty()) figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace sequela
