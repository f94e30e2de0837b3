#include "sequela/report/evaluation/evaluation.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/report/data_section.h"
#include "sequela/report/evaluation/parts.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

void append(std::vector<ShownFigure> figures, std::vector<Block>& blocks) {
  for (ShownFigure& figure : figures) blocks.emplace_back(std::move(figure));
}

// "981 rows of 871 subjects, 66 positive".
std::string rows_text(const Json& side, const Json& task) {
  std::string text = counted(count_field(side, "num_rows"), "row", "rows");
  if (field(side, "num_subjects").is_number())
    text += " of " + counted(count_field(side, "num_subjects"), "subject", "subjects");
  if (is_time_to_event(task) && field(side, "num_events").is_number())
    text += ", " + counted(count_field(side, "num_events"), "event", "events");
  if (!is_time_to_event(task))
    text += ", " + with_thousands(count_field(side, "num_positive")) + " positive";
  return text;
}

std::string sides_text(const Json& task) {
  std::string text;
  for (const char* side : {"train", "validation", "test"}) {
    const Json& counts = field(field(task, "sides"), side);
    if (!counts.is_object()) continue;
    text += str(text.empty() ? "" : "; ", side, ": ", rows_text(counts, task));
  }
  return text.empty() ? "Tested on " + rows_text(task, task) + "." : text + ".";
}

std::string summary_of(const Json& evaluation) {
  const Json& tasks = list_field(evaluation, "tasks");
  std::vector<std::string> parts;
  const Json& data = field(evaluation, "data");
  if (data.is_object()) {
    parts.push_back(counted(count_field(data, "num_subjects"), "subject", "subjects") + " with " +
                    counted(count_field(data, "num_events"), "event", "events"));
  }
  int64_t rows = 0, positive = 0;
  for (const Json& task : tasks) {
    rows += count_field(task, "num_rows");
    positive += outcome_count(task);
  }
  parts.push_back(counted(static_cast<int64_t>(tasks.size()), "task", "tasks"));
  if (rows > 0) {
    parts.push_back(counted(rows, "tested prediction", "tested predictions") + ", " +
                    with_thousands(positive) + " of them positive");
  }
  parts.push_back(counted(count_field(evaluation, "bootstraps"), "resample", "resamples") +
                  " of the subjects");
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " · ") + part;
  return text;
}

// Which methods took no part in which task.
PageTable left_out_table(const Json& evaluation, const MethodTitles& titles) {
  PageTable table{{"Method", "Task", "Why it took no part"}, {}};
  for (const Json& method : list_field(evaluation, "methods")) {
    const Json& reasons = field(method, "why_not");
    if (!reasons.is_object()) continue;
    for (const auto& [task, why] : reasons.items())
      table.rows.push_back({titles.of(text_field(method, "method")), task, to_cell(why)});
  }
  return table;
}

}  // namespace

Section task_section(const Json& task, const MethodTitles& titles) {
  Section section{text_field(task, "task"), {Paragraph{sides_text(task)}}, {}};
  append(curve_figures(task, titles), section.blocks);
  append(survival_figures(task, titles), section.blocks);
  append(few_shot_figures(task, titles), section.blocks);
  append(subgroup_figures(task, titles), section.blocks);
  append(map_figures(task), section.blocks);
  for (Block& block : figure_tables(task, titles)) section.blocks.push_back(std::move(block));
  return section;
}

Section leak_section(const Json& leaks) {
  PageTable table{{"Check", "Task", "Result", "Checked", "Found", "What it says"}, {}};
  for (const Json& leak : leaks) {
    std::string status = text_field(leak, "status");
    if (status == "not_checked") status = "not checked";
    const std::string title = text_field(leak, "title");
    table.rows.push_back({title.empty() ? text_field(leak, "check") : title,
                          text_field(leak, "task"), status, to_cell(field(leak, "num_checked")),
                          to_cell(field(leak, "num_found")), text_field(leak, "text")});
  }
  return {"Leaks", {ShownTable{"What was looked for before the evaluation", std::move(table)}}, {}};
}

void add_evaluation(const Json& evaluation, Page& page) {
  page.summary += (page.summary.empty() ? "" : " · ") + summary_of(evaluation);
  for (Block& block : summary_blocks(evaluation)) page.at_the_top.push_back(std::move(block));
  const MethodTitles titles(evaluation);
  PageTable left_out = left_out_table(evaluation, titles);
  if (!left_out.rows.empty())
    page.at_the_top.emplace_back(ShownTable{"Methods left out", std::move(left_out)});
  for (const Json& task : list_field(evaluation, "tasks")) {
    page.sections.push_back(task_section(task, titles));
  }
  const Json& leaks = list_field(evaluation, "leaks");
  if (!leaks.empty()) page.sections.push_back(leak_section(leaks));
  if (field(evaluation, "data").is_object())
    page.sections.push_back(data_section(field(evaluation, "data")));
}

Json to_evaluation(const Json& metrics, const Json& curves) {
  Json evaluation = metrics;
  for (Json& task : evaluation["tasks"]) {
    if (!field(task, "methods").is_array()) continue;
    for (Json& method : task["methods"]) {
      if (!method.is_object()) continue;
      for (const Json& one : list_field(curves, "curves")) {
        if (field(one, "task") != field(task, "task") ||
            field(one, "method") != field(method, "method")) {
          continue;
        }
        method["curves"] = {{"roc", list_field(one, "thresholds")},
                            {"precision_recall", Json::array()},
                            {"calibration", list_field(one, "calibration")},
                            {"decision", list_field(one, "decision")}};
        for (const Json& point : list_field(one, "thresholds")) {
          method["curves"]["precision_recall"].push_back(
              {{"recall", field(point, "true_positive_rate")},
               {"precision", field(point, "precision")}});
        }
      }
    }
  }
  return evaluation;
}

}  // namespace sequela
