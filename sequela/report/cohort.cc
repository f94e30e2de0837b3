#include "sequela/report/cohort.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

std::string labels_text(const Json& labels) {
  std::string text = counted(count_field(labels, "rows"), "label", "labels") + " of " +
                     counted(count_field(labels, "subjects"), "subject", "subjects");
  if (field(labels, "true").is_number())
    text += ", " + with_thousands(count_field(labels, "true")) + " true";
  return text;
}

}  // namespace

void add_cohort(const Json& cohort, const std::string& name, Page& page) {
  const std::string text = labels_text(field(cohort, "labels"));
  page.summary += (page.summary.empty() ? "" : " · ") + str(name, ": ", text);
  PageTable left{{"Step", "Of", "Left"}, {}}, losses{{"Step", "Why", "Fell out"}, {}};
  for (const Json& step : list_field(cohort, "steps")) {
    const std::string title = text_field(step, "step");
    const std::string unit = text_field(step, "of");
    if (left.rows.empty()) left.rows.push_back({"all", unit, to_cell(field(step, "before"))});
    left.rows.push_back({title, unit, to_cell(field(step, "after"))});
    for (const Json& loss : list_field(step, "fell_out"))
      losses.rows.push_back({title, text_field(loss, "why"), to_cell(field(loss, "count"))});
  }
  Section section{"Cohort: " + name,
                  {Paragraph{counted(count_field(cohort, "subjects"), "subject", "subjects") +
                             " were looked at; " + text + "."}},
                  {}};
  if (!left.rows.empty()) {
    section.blocks.emplace_back(
        ShownFigure{"Left after each step",
                    "",
                    {.kind = ChartKind::bars, .series = "Of", .category = "Step", .x = "Left"},
                    std::move(left)});
  }
  if (!losses.rows.empty()) {
    section.blocks.emplace_back(ShownTable{"Who fell out, and why", std::move(losses)});
  }
  page.sections.push_back(std::move(section));
}

}  // namespace sequela
