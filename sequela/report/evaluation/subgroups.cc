#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/report/evaluation/parts.h"
#include "sequela/report/json_fields.h"
#include "sequela/report/metric_names.h"

namespace sequela {
namespace {

// The subgroups of all methods in the order of the first that has them: rows stand together by
// subgroup because the chart gathers them, so they are added by method.
void add_rows(const Json& method, const std::string& metric, const std::string& title,
              PageTable& table) {
  const auto add = [&](const std::string& group, const Json& of) {
    const Estimate estimate = to_estimate(field(field(of, "figures"), metric));
    if (std::isnan(estimate.value)) return;
    table.rows.push_back({group, title, estimate.value, estimate.low, estimate.high,
                          to_cell(field(of, "num_rows")), to_cell(field(of, "num_positive"))});
  };
  add("all", method);
  for (const Json& group : list_field(method, "subgroups")) {
    add(text_field(group, "column") + " = " + text_field(group, "value"), group);
  }
}

}  // namespace

std::vector<ShownFigure> subgroup_figures(const Json& task, const MethodTitles& titles) {
  std::vector<ShownFigure> figures;
  for (const char* metric : {"auroc", "calibration_in_the_large"}) {
    const std::string title = metric_title(metric);
    PageTable table{{"Subgroup", "Method", title, "Low", "High", "Rows", "Positive"}, {}};
    bool has_groups = false;
    for (const Json& method : list_field(task, "methods")) {
      add_rows(method, metric, titles.of(text_field(method, "method")), table);
      has_groups |= !list_field(method, "subgroups").empty();
    }
    if (!has_groups || table.rows.empty()) continue;
    const bool is_auroc = std::string(metric) == "auroc";
    figures.push_back({title + " by subgroup",
                       is_auroc ? "" : "0: as many outcomes as predicted; above: more.",
                       {.kind = ChartKind::intervals,
                        .series = "Method",
                        .category = "Subgroup",
                        .x = title,
                        .low = "Low",
                        .high = "High",
                        .level = is_auroc ? 0.5 : 0},
                       std::move(table)});
  }
  return figures;
}

}  // namespace sequela
