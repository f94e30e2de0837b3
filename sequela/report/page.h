#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sequela {

// What a page says, before it is HTML (report/render.h). All texts are plain, whatever they hold.

// A text with a mark beside it, such as "best".
struct Marked {
  std::string text, mark;
};
// Empty, a number or a text. A double that is not finite counts as empty.
using Cell = std::variant<std::monostate, int64_t, double, std::string, Marked>;

struct PageTable {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  // as many cells each
};

enum class ChartKind : uint8_t { lines, bars, intervals, points };

// How a figure's table is drawn: columns by name, empty = none. Lines, bands (low, high) and points
// go by x and y; bars and intervals by category and x.
struct Chart {
  ChartKind kind = ChartKind::lines;
  std::string series, category, label;  // label: of a point, shown beside the pointer
  std::string x, y, low, high;
  std::string x_scale = "linear", y_scale = "linear";  // or log, time (x), category (y of points)
  std::string x_name, y_name;                          // of the axes; empty = the column's
  std::optional<std::pair<double, double>> x_range, y_range;
  std::optional<double> level;  // of a line for reference
  bool has_diagonal = false;    // the line from (0, 0) to (1, 1)
  bool is_step = false;
  bool is_stacked = false;
};

struct ShownFigure {
  std::string title;
  std::string note;  // how to read it, in a sentence
  Chart chart;
  PageTable table;  // all that is drawn
};

struct Paragraph {
  std::string text;
};
// What a reader must not miss.
struct Notice {
  std::string text;
};
struct ShownTable {
  std::string caption;
  PageTable table;
  bool is_folded = false;  // opens on a click
};

using Block = std::variant<Paragraph, Notice, ShownTable, ShownFigure>;

struct Section {
  std::string title;
  std::vector<Block> blocks;
  std::vector<Section> sections;  // one level deeper
};

struct Page {
  std::string title;
  std::string summary;            // the data in one line
  std::vector<Block> at_the_top;  // before the list of sections
  std::vector<Section> sections;
};

}  // namespace sequela
