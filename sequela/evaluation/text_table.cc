#include "sequela/evaluation/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sequela {
namespace {

size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string format_row(const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - width_of(cells[i]), ' ');
    if (i > 0) line += "  ";
    line += i == 0 ? cells[i] + padding : padding + cells[i];
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

std::string fixed(double value, int decimals) {
  if (std::isnan(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

}  // namespace

std::string format_text_table(const std::vector<std::string>& header,
                              const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::string& cell : header) widths.push_back(width_of(cell));
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text = format_row(header, widths);
  size_t total = 2 * (widths.size() - 1);
  for (const size_t width : widths) total += width;
  text += std::string(total, '-') + "\n";
  for (const auto& row : rows) text += format_row(row, widths);
  return text;
}

std::string signed_text(const Interval& interval) {
  if (std::isnan(interval.value)) return "-";
  char text[96];
  std::snprintf(text, sizeof text, std::isnan(interval.low) ? "%+.3f" : "%+.3f (%+.3f to %+.3f)",
                interval.value, interval.low, interval.high);
  return text;
}

std::string p_text(double p_value) {
  return p_value < 0.001 ? "<0.001" : fixed(p_value, 3);
}

std::string format_results(const std::vector<ProbeResult>& results) {
  std::vector<std::vector<std::string>> rows;
  for (const ProbeResult& result : results) {
    rows.push_back({result.name, std::to_string(result.num_test),
                    std::to_string(result.num_test_positive), to_text(result.auroc),
                    to_text(result.average_precision), to_text(result.brier),
                    fixed(result.calibration.slope, 2)});
  }
  return format_text_table({"features", "test rows", "positive", "AUROC (95 % CI)",
                            "AUPRC (95 % CI)", "Brier (95 % CI)", "calibration slope"},
                           rows);
}

}  // namespace sequela
