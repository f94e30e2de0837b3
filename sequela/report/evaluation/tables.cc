#include <cstdio>
#include <nlohmann/json.hpp>

#include "sequela/report/evaluation/parts.h"
#include "sequela/report/json_fields.h"
#include "sequela/report/metric_names.h"

namespace sequela {
namespace {

// Names of the figures in the order of the first method.
std::vector<std::string> metrics_of(const Json& with_figures) {
  std::vector<std::string> names;
  const Json& figures = field(with_figures, "figures");
  if (!figures.is_object()) return names;
  for (const auto& [name, value] : figures.items()) names.push_back(name);
  return names;
}

std::string estimate_or_why(const Json& figure) {
  const std::string text = to_text(to_estimate(figure));
  return text.empty() ? text_field(figure, "why_not") : text;
}

ShownTable all_figures(const Json& methods, const MethodTitles& titles) {
  PageTable table{{"Figure"}, {}};
  for (const Json& method : methods)
    table.columns.push_back(titles.of(text_field(method, "method")));
  for (const std::string& metric : metrics_of(methods.front())) {
    std::vector<Cell> row = {metric_title(metric)};
    for (const Json& method : methods)
      row.emplace_back(estimate_or_why(field(field(method, "figures"), metric)));
    table.rows.push_back(std::move(row));
  }
  return {"All figures, with 95 % intervals", std::move(table), true};
}

ShownTable all_differences(const Json& differences, const MethodTitles& titles) {
  PageTable table{{"First minus second", "Figure", "Difference", "p", "p after Holm", "Rows"}, {}};
  for (const Json& difference : differences) {
    const std::string pair = titles.of(text_field(difference, "first")) + " − " +
                             titles.of(text_field(difference, "second"));
    for (const std::string& metric : metrics_of(difference)) {
      const Json& figure = field(field(difference, "figures"), metric);
      table.rows.push_back({pair, metric_title(metric), estimate_or_why(figure),
                            number_field(figure, "p_value"), number_field(figure, "p_holm"),
                            to_cell(field(difference, "num_rows"))});
    }
  }
  return {"Differences between methods", std::move(table), true};
}

ShownTable all_gaps(const Json& methods, const MethodTitles& titles) {
  PageTable table{{"Column", "Method", "Figure", "Largest minus smallest subgroup"}, {}};
  for (const Json& method : methods) {
    for (const Json& gap : list_field(method, "gaps")) {
      for (const std::string& metric : metrics_of(gap)) {
        const std::string text = estimate_or_why(field(field(gap, "figures"), metric));
        if (text.empty()) continue;
        table.rows.push_back({text_field(gap, "column"), titles.of(text_field(method, "method")),
                              metric_title(metric), text});
      }
    }
  }
  return {"Gaps between subgroups", std::move(table), true};
}

}  // namespace

std::vector<Block> figure_tables(const Json& task, const MethodTitles& titles) {
  std::vector<Block> blocks;
  const Json& methods = list_field(task, "methods");
  if (!methods.empty()) {
    for (ShownTable& table : std::vector<ShownTable>{
             all_figures(methods, titles), all_differences(list_field(task, "differences"), titles),
             all_gaps(methods, titles)}) {
      if (!table.table.rows.empty()) blocks.emplace_back(std::move(table));
    }
  }
  return blocks;
}

}  // namespace sequela
