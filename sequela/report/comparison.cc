#include "sequela/report/comparison.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

ShownFigure label_figure(const Json& comparison, const std::string& key, const std::string& title) {
  PageTable table{{"Method", "Training labels", title, "Low", "High"}, {}};
  for (const Json& result : list_field(comparison, "results")) {
    const Estimate estimate = to_estimate(field(result, key));
    table.rows.push_back({text_field(result, "method"), to_cell(field(result, "num_labels")),
                          estimate.value, estimate.low, estimate.high});
  }
  return {title + " by the number of training labels",
          "Means over the seeds.",
          {.series = "Method",
           .x = "Training labels",
           .y = title,
           .low = "Low",
           .high = "High",
           .x_scale = "log"},
          std::move(table)};
}

ShownTable result_table(const Json& comparison) {
  PageTable table{{"Method", "Training labels", "AUROC", "AUPRC"}, {}};
  for (const Json& result : list_field(comparison, "results")) {
    table.rows.push_back({text_field(result, "method"), to_cell(field(result, "num_labels")),
                          to_text(to_estimate(field(result, "auroc"))),
                          to_text(to_estimate(field(result, "average_precision")))});
  }
  return {"With and without pretraining, with 95 % intervals", std::move(table)};
}

ShownTable difference_table(const Json& comparison) {
  PageTable table{{"First minus second", "Training labels", "AUROC", "p", "AUPRC", "p of it"}, {}};
  for (const Json& row : list_field(comparison, "differences")) {
    const Json& auroc = field(row, "auroc");
    const Json& precision = field(row, "average_precision");
    table.rows.push_back({text_field(row, "first") + " − " + text_field(row, "second"),
                          to_cell(field(row, "num_labels")), to_text(to_estimate(auroc)),
                          number_field(auroc, "p_value"), to_text(to_estimate(precision)),
                          number_field(precision, "p_value")});
  }
  return {"Differences on the same test rows", std::move(table)};
}

}  // namespace

void add_comparison(const Json& comparison, Page& page) {
  const std::string text =
      str(with_thousands(count_field(comparison, "num_train")), " training, ",
          with_thousands(count_field(comparison, "num_validation")), " tuning and ",
          counted(count_field(comparison, "num_test"), "held-out label", "held-out labels"), " (",
          with_thousands(count_field(comparison, "num_test_positive")), " positive)");
  page.summary += (page.summary.empty() ? "" : " · ") + text;
  page.at_the_top.emplace_back(result_table(comparison));
  Section section{"Does pretraining help?", {Paragraph{text + "."}}, {}};
  for (ShownFigure& figure :
       std::vector<ShownFigure>{label_figure(comparison, "auroc", "AUROC"),
                                label_figure(comparison, "average_precision", "AUPRC")}) {
    if (!figure.table.rows.empty()) section.blocks.emplace_back(std::move(figure));
  }
  section.blocks.emplace_back(difference_table(comparison));
  page.sections.push_back(std::move(section));
}

}  // namespace sequela
