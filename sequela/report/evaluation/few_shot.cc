#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/report/evaluation/parts.h"
#include "sequela/report/json_fields.h"
#include "sequela/report/metric_names.h"

namespace sequela {
namespace {

ShownFigure few_shot_figure(const Json& few_shot, const std::string& metric,
                            const MethodTitles& titles) {
  const std::string title = metric_title(metric);
  PageTable table{{"Method", "Training labels", title, "Low", "High", "Labels of each outcome"},
                  {}};
  for (const Json& point : list_field(few_shot, "points")) {
    const Estimate estimate = to_estimate(field(point, metric));
    const Json& k = field(point, "k");
    table.rows.push_back({titles.of(text_field(point, "method")),
                          to_cell(field(point, "num_train")), estimate.value, estimate.low,
                          estimate.high, k.is_null() ? Cell("all") : to_cell(k)});
  }
  return {title + " by the number of training labels",
          str("Means over ", count_field(few_shot, "draws"), " draws of training labels."),
          {.series = "Method",
           .x = "Training labels",
           .y = title,
           .low = "Low",
           .high = "High",
           .x_scale = "log"},
          std::move(table)};
}

}  // namespace

std::vector<ShownFigure> few_shot_figures(const Json& task, const MethodTitles& titles) {
  const Json& few_shot = field(task, "few_shot");
  if (list_field(few_shot, "points").empty()) return {};
  return {few_shot_figure(few_shot, "auroc", titles), few_shot_figure(few_shot, "auprc", titles)};
}

std::vector<ShownFigure> map_figures(const Json& task) {
  const Json& map = field(task, "map");
  PageTable table{{"Outcome", "First component", "Second component"}, {}};
  for (const Json& point : list_field(map, "points")) {
    const bool is_positive = number_field(point, "outcome") > 0 || field(point, "outcome") == true;
    table.rows.push_back({is_positive ? "positive" : "negative", number_field(point, "x"),
                          number_field(point, "y")});
  }
  if (table.rows.empty()) return {};
  const Json& shares = list_field(map, "explained");
  double share = 0;
  for (const Json& one : shares) share += to_number(one);
  return {{"Map of the embeddings",
           shares.empty() ? "The first two principal components."
                          : str("The first two principal components; they hold ",
                                static_cast<int>(100 * share + 0.5), " % of the variance."),
           {.kind = ChartKind::points,
            .series = "Outcome",
            .x = "First component",
            .y = "Second component"},
           std::move(table)}};
}

}  // namespace sequela
