#include "sequela/core/error.h"
#include "sequela/evaluation/text_table.h"
#include "sequela/pipeline/evaluation/report.h"

namespace sequela {
namespace {

constexpr BinaryFigure kShown[] = {BinaryFigure::auroc, BinaryFigure::average_precision,
                                   BinaryFigure::brier, BinaryFigure::calibration_slope,
                                   BinaryFigure::expected_calibration_error};
constexpr const char* kShownNames[] = {"AUROC (95 %)", "AUPRC (95 %)", "Brier (95 %)",
                                       "slope (95 %)", "ECE (95 %)"};

std::string shown(const FigureTable& table, BinaryFigure figure) {
  return to_text(table.figures[static_cast<size_t>(figure)].interval);
}

std::string label_of(const FigureTable& table) {
  if (table.column.empty()) return table.method;
  return str("  ", table.column, table.is_gap ? ": gap" : "=" + table.value);
}

std::string methods_text(const TaskReport& report, SubgroupRows subgroups) {
  std::vector<std::string> header = {report.name, "rows", "positive"};
  header.insert(header.end(), std::begin(kShownNames), std::end(kShownNames));
  std::vector<std::vector<std::string>> rows;
  for (size_t m = 0; m < report.delong.size(); ++m) {
    for (const FigureTable& table : report.tables) {
      if (table.method != report.tables[m].method) continue;
      if (subgroups == SubgroupRows::hidden && !table.column.empty()) continue;
      std::vector<std::string>& row = rows.emplace_back();
      row = {label_of(table), str(table.num_rows), str(table.num_positive)};
      for (const BinaryFigure figure : kShown) row.push_back(shown(table, figure));
    }
  }
  return format_text_table(header, rows);
}

std::string differences_text(const std::vector<TaskReport>& reports) {
  std::vector<std::vector<std::string>> rows;
  for (const TaskReport& report : reports) {
    for (const DifferenceTable& table : report.differences) {
      std::vector<std::string>& row = rows.emplace_back();
      row = {str(report.name, ": ", table.first, " - ", table.second), str(table.num_rows)};
      for (const BinaryFigure figure : {BinaryFigure::auroc, BinaryFigure::average_precision}) {
        const DifferenceResult& result = table.figures[static_cast<size_t>(figure)];
        row.push_back(signed_text(result.test.difference));
        row.push_back(p_text(result.test.p_value));
        row.push_back(p_text(result.p_holm));
      }
    }
  }
  if (rows.empty()) return "";
  return "\n" + format_text_table({"difference", "rows", "AUROC (95 %)", "p", "p (Holm)",
                                   "AUPRC (95 %)", "p", "p (Holm)"},
                                  rows);
}

}  // namespace

std::string to_text(const std::vector<TaskReport>& reports, SubgroupRows subgroups) {
  std::string text;
  for (const TaskReport& report : reports) {
    text += (text.empty() ? "" : "\n") + methods_text(report, subgroups);
  }
  return text + differences_text(reports);
}

}  // namespace sequela
