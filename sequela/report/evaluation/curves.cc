#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/report/evaluation/parts.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

// A curve of each method: the list `band` with intervals if it is there, else the list `line`.
struct CurveKind {
  const char* band;
  const char* line;
  const char* x;       // key of both
  const char* line_y;  // key of `line`; that of `band` is "value"
  const char* x_name;
  const char* y_name;
};

void add_points(const Json& method, const CurveKind& kind, const std::string& title,
                PageTable& table) {
  const Json& curves = field(method, "curves");
  const Json& band = list_field(curves, kind.band);
  for (const Json& point : band.empty() ? list_field(curves, kind.line) : band) {
    const Json& y = field(point, band.empty() ? kind.line_y : "value");
    table.rows.push_back({title, number_field(point, kind.x), to_number(y),
                          number_field(point, "low"), number_field(point, "high")});
  }
}

PageTable curve_table(const Json& task, const CurveKind& kind, const MethodTitles& titles) {
  PageTable table{{"Method", kind.x_name, kind.y_name, "Low", "High"}, {}};
  for (const Json& method : list_field(task, "methods")) {
    add_points(method, kind, titles.of(text_field(method, "method")), table);
  }
  return table;
}

Chart curve_chart(const CurveKind& kind) {
  return {.series = "Method", .x = kind.x_name, .y = kind.y_name, .low = "Low", .high = "High"};
}

double largest(const PageTable& table, size_t column) {
  double most = 0;
  for (const auto& row : table.rows) {
    const auto* value = std::get_if<double>(&row[column]);
    if (value != nullptr && std::isfinite(*value)) most = std::max(most, *value);
  }
  return most;
}

// The next tenth, so that an axis ends at a round number.
double tenth_above(double value) {
  return std::min(1.0, std::max(0.1, std::ceil(value * 10 - 1e-9) / 10));
}

// The next number of one digit away from 0.
double digit_beyond(double value) {
  if (value == 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))));
  return std::copysign(std::ceil(std::abs(value) / unit - 1e-9) * unit, value);
}

void add_if_drawn(ShownFigure figure, std::vector<ShownFigure>& figures) {
  if (!figure.table.rows.empty()) figures.push_back(std::move(figure));
}

ShownFigure roc_figure(const Json& task, const MethodTitles& titles) {
  const CurveKind kind{"roc_band",
                       "roc",
                       "false_positive_rate",
                       "true_positive_rate",
                       "False positive rate",
                       "True positive rate"};
  Chart chart = curve_chart(kind);
  chart.x_range = chart.y_range = {0, 1};
  chart.has_diagonal = true;
  return {"ROC curve",
          "The dotted line is chance. Bands: 95 % at each false positive rate, by bootstrap of the "
          "subjects.",
          chart, curve_table(task, kind, titles)};
}

ShownFigure recall_figure(const Json& task, const MethodTitles& titles) {
  const CurveKind kind{
      "precision_recall_band", "precision_recall", "recall", "precision", "Recall", "Precision"};
  Chart chart = curve_chart(kind);
  chart.x_range = chart.y_range = {0, 1};
  const double rows = number_field(task, "num_rows");
  if (rows > 0) chart.level = number_field(task, "num_positive") / rows;
  return {"Precision and recall", "The dotted line is the share of positives: chance.", chart,
          curve_table(task, kind, titles)};
}

ShownFigure calibration_figure(const Json& task, const MethodTitles& titles) {
  const CurveKind kind{"calibration_band",      "calibration",  "score", "rate",
                       "Predicted probability", "Observed rate"};
  Chart chart = curve_chart(kind);
  PageTable table = curve_table(task, kind, titles);
  const double end = tenth_above(std::max(largest(table, 1), largest(table, 2)));
  chart.x_range = chart.y_range = {0, end};
  chart.has_diagonal = true;
  return {"Calibration",
          "A model whose probabilities are right lies on the dotted line (lowess curve).", chart,
          std::move(table)};
}

ShownFigure decision_figure(const Json& task, const MethodTitles& titles) {
  const CurveKind kind{"", "decision", "threshold", "net_benefit", "Threshold", "Net benefit"};
  Chart chart = curve_chart(kind);
  PageTable table = curve_table(task, kind, titles);
  const double most = largest(table, 2);
  double last = 0;
  for (const auto& row : table.rows) {
    if (std::get<double>(row[2]) > 0) last = std::max(last, std::get<double>(row[1]));
  }
  for (const Json& method : list_field(task, "methods")) {
    for (const Json& point : list_field(field(method, "curves"), "decision")) {
      table.rows.push_back({"treat all", number_field(point, "threshold"),
                            number_field(point, "net_benefit_of_all"), Cell(), Cell()});
    }
    break;
  }
  chart.x_range = {0, tenth_above(last)};
  chart.y_range = {digit_beyond(-most / 4), digit_beyond(most * 1.1)};
  chart.level = 0;
  return {"Decision curve",
          "Net benefit of acting above a threshold. The dotted line is acting on nobody.", chart,
          std::move(table)};
}

}  // namespace

std::vector<ShownFigure> curve_figures(const Json& task, const MethodTitles& titles) {
  std::vector<ShownFigure> figures;
  add_if_drawn(roc_figure(task, titles), figures);
  add_if_drawn(recall_figure(task, titles), figures);
  add_if_drawn(calibration_figure(task, titles), figures);
  add_if_drawn(decision_figure(task, titles), figures);
  return figures;
}

}  // namespace sequela
