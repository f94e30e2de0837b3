#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/report/evaluation/best.h"
#include "sequela/report/evaluation/parts.h"
#include "sequela/report/json_fields.h"
#include "sequela/report/metric_names.h"

namespace sequela {
namespace {

const std::vector<std::string> kBinaryColumns = {"auroc", "auprc", "brier", "calibration_slope"};
const std::vector<std::string> kEventColumns = {"harrell_c", "uno_c", "mean_auc",
                                                "integrated_brier"};
// Positives of a validation below which its intervals are too wide to rank models. Source: Collins
// et al., Statistics in Medicine 35 (2016), 214-226.
constexpr int64_t kEnoughEvents = 100;

bool is_marked(const PageTable& table) {
  for (const auto& row : table.rows) {
    for (const Cell& cell : row) {
      if (std::holds_alternative<Marked>(cell)) return true;
    }
  }
  return false;
}

bool has_differences(const Json& evaluation, bool of_events) {
  for (const Json& task : list_field(evaluation, "tasks")) {
    if (is_time_to_event(task) == of_events && !list_field(task, "differences").empty())
      return true;
  }
  return false;
}

void add_task_rows(const Json& task, const MethodTitles& titles,
                   const std::vector<std::string>& metrics, PageTable& table) {
  std::vector<std::string> best;
  for (const std::string& metric : metrics) best.push_back(best_method(task, metric));
  for (const Json& method : list_field(task, "methods")) {
    const std::string name = text_field(method, "method");
    std::vector<Cell> row = {text_field(task, "task"), titles.of(name),
                             to_cell(field(method, "num_rows"))};
    for (size_t i = 0; i < metrics.size(); ++i) {
      const Json& figure = field(field(method, "figures"), metrics[i]);
      const std::string text = to_text(to_estimate(figure));
      if (text.empty()) {
        row.emplace_back(text_field(figure, "why_not"));
      } else if (best[i] == name) {
        row.emplace_back(Marked{text, "best"});
      } else {
        row.emplace_back(text);
      }
    }
    table.rows.push_back(std::move(row));
  }
}

void add_summary(const Json& evaluation, bool of_events, std::vector<Block>& blocks) {
  const std::vector<std::string>& metrics = of_events ? kEventColumns : kBinaryColumns;
  PageTable table{{"Task", "Method", "Rows"}, {}};
  for (const std::string& metric : metrics) table.columns.push_back(metric_title(metric));
  const MethodTitles titles(evaluation);
  for (const Json& task : list_field(evaluation, "tasks")) {
    if (is_time_to_event(task) == of_events) add_task_rows(task, titles, metrics, table);
  }
  if (table.rows.empty()) return;
  const bool has_best = is_marked(table), has_pairs = has_differences(evaluation, of_events);
  blocks.emplace_back(ShownTable{
      of_events ? "Times to an event, with 95 % intervals" : "Methods, with 95 % intervals",
      std::move(table)});
  if (!has_pairs) return;
  std::string text =
      has_best ? "\"best\": better than every other method of the task on the rows that both have, "
                 "p < 0.05 by paired bootstrap of the subjects after Holm's correction."
               : "No method is marked as best: no one is better than every other method of its "
                 "task by p < 0.05 (paired bootstrap of the subjects, Holm's correction).";
  Block block = Paragraph{std::move(text)};
  blocks.push_back(std::move(block));
}

void add_notices(const Json& evaluation, std::vector<Block>& blocks) {
  std::string small;
  for (const Json& task : list_field(evaluation, "tasks")) {
    const char* key = is_time_to_event(task) ? "num_events" : "num_positive";
    const Json& of = is_time_to_event(task) ? field(field(task, "sides"), "test") : task;
    if (!field(of, key).is_number()) continue;
    const int64_t positives = count_field(of, key);
    const int64_t fewer = is_time_to_event(task)
                              ? positives
                              : std::min(positives, count_field(task, "num_rows") - positives);
    if (fewer >= kEnoughEvents) continue;
    small += str(small.empty() ? "" : ", ", text_field(task, "task"), " (", fewer, ")");
  }
  if (!small.empty()) {
    blocks.emplace_back(
        Notice{str("Few outcomes of the rarer kind: ", small, ". With fewer than ", kEnoughEvents,
                   " the intervals are wide, and the order of methods is "
                   "uncertain.")});
  }
  int64_t leaks = 0;
  for (const Json& leak : list_field(evaluation, "leaks"))
    leaks += text_field(leak, "status") == "found" ? 1 : 0;
  if (leaks > 0) {
    blocks.emplace_back(
        Notice{str(counted(leaks, "check for leaks", "checks for leaks"),
                   " found something: the figures may be too good. See the section on leaks.")});
  }
}

}  // namespace

std::string MethodTitles::of(const std::string& method) const {
  for (const Json& one : list_field(evaluation_, "methods")) {
    if (text_field(one, "method") != method) continue;
    const std::string title = text_field(one, "title");
    return title.empty() ? method : title;
  }
  return method;
}

bool is_time_to_event(const Json& task) {
  return text_field(task, "kind") == "time_to_event";
}

std::vector<Block> summary_blocks(const Json& evaluation) {
  std::vector<Block> blocks;
  add_summary(evaluation, false, blocks);
  add_summary(evaluation, true, blocks);
  add_notices(evaluation, blocks);
  return blocks;
}

}  // namespace sequela
