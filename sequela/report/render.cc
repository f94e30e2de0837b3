#include "sequela/report/render.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/report/assets.h"
#include "sequela/report/html.h"

namespace sequela {
namespace {

constexpr size_t kOneLine = 30;  // bytes of a text that stands in one line
constexpr const char* kKindNames[] = {"lines", "bars", "intervals", "points"};

size_t column_of(const PageTable& table, const std::string& name) {
  const auto found = std::ranges::find(table.columns, name);
  if (found == table.columns.end()) throw std::invalid_argument("no column " + name);
  return static_cast<size_t>(found - table.columns.begin());
}

// The chart as page/data.js and page/kinds read it.
std::string chart_json(const Chart& chart, const PageTable& table) {
  Json json = {{"kind", kKindNames[static_cast<size_t>(chart.kind)]}};
  const std::pair<const char*, const std::string*> columns[] = {
      {"series", &chart.series}, {"category", &chart.category},
      {"label", &chart.label},   {"x", &chart.x},
      {"y", &chart.y},           {"low", &chart.low},
      {"high", &chart.high}};
  for (const auto& [key, name] : columns) {
    if (!name->empty()) json[key] = column_of(table, *name);
  }
  json["x_scale"] = chart.x_scale;
  json["y_scale"] = chart.y_scale;
  json["x_name"] = chart.x_name.empty() ? chart.x : chart.x_name;
  json["y_name"] = chart.y_name.empty() ? chart.y : chart.y_name;
  if (chart.x_range) json["x_range"] = {chart.x_range->first, chart.x_range->second};
  if (chart.y_range) json["y_range"] = {chart.y_range->first, chart.y_range->second};
  if (chart.level) json["level"] = *chart.level;
  json["diagonal"] = chart.has_diagonal;
  json["step"] = chart.is_step;
  json["stacked"] = chart.is_stacked;
  return json_text(json, -1);
}

bool is_numeric(const Cell& cell) {
  return std::holds_alternative<int64_t>(cell) || std::holds_alternative<double>(cell);
}

class Writer {
 public:
  std::string page(const Page& page);

 private:
  template <class... Parts>
  void put(const Parts&... parts) {
    ((out_ += parts), ...);
  }
  void cell(const Cell& cell, bool is_row_header);
  void table(const std::string& caption, const PageTable& table);
  void block(const Paragraph& paragraph) { put("<p>", to_html(paragraph.text), "</p>\n"); }
  void block(const Notice& notice) {
    put("<p class=\"notice\" role=\"note\">", to_html(notice.text), "</p>\n");
  }
  void block(const ShownTable& shown);
  void block(const ShownFigure& figure);
  void blocks(const std::vector<Block>& all);
  void section(const Section& section, int level, const std::string& id);
  void head(const Page& page);
  void contents(const Page& page);

  std::string out_;
  int num_figures_ = 0;
};

void Writer::cell(const Cell& cell, bool is_row_header) {
  const char* name = is_row_header ? "th" : "td";
  const std::string text = cell_text(cell);
  const char* look = is_numeric(cell)          ? " class=\"n\""
                     : text.size() <= kOneLine ? " class=\"s\""
                                               : "";
  put("<", name, is_row_header ? " scope=\"row\"" : "", look, ">", to_html(text));
  if (const auto* marked = std::get_if<Marked>(&cell); marked != nullptr && !marked->mark.empty()) {
    put(" <strong class=\"mark\">", to_html(marked->mark), "</strong>");
  }
  put("</", name, ">");
}

// Wide tables scroll by themselves; the keyboard reaches them.
void Writer::table(const std::string& caption, const PageTable& table) {
  put("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"", to_html(caption),
      "\"><table><caption>", to_html(caption), "</caption><thead><tr>");
  for (const std::string& column : table.columns) {
    put("<th scope=\"col\">", to_html(column), "</th>");
  }
  put("</tr></thead><tbody>\n");
  for (const auto& row : table.rows) {
    put("<tr>");
    for (size_t i = 0; i < row.size(); ++i) {
      cell(row[i], i == 0 && std::holds_alternative<std::string>(row[i]));
    }
    put("</tr>\n");
  }
  put("</tbody></table></div>\n");
}

void Writer::block(const ShownTable& shown) {
  if (!shown.is_folded) return table(shown.caption, shown.table);
  put("<details><summary>", to_html(shown.caption), "</summary>\n");
  table(shown.caption, shown.table);
  put("</details>\n");
}

void Writer::block(const ShownFigure& figure) {
  const std::string title = to_html(figure.title);
  put("<figure id=\"figure-", std::to_string(++num_figures_), "\" data-title=\"", title,
      "\" data-chart=\"", to_html(chart_json(figure.chart, figure.table)),
      "\">\n<figcaption><strong>", title, "</strong>");
  if (!figure.note.empty()) put(" <span>", to_html(figure.note), "</span>");
  put("</figcaption>\n<div class=\"plot\" hidden></div>\n<details><summary>Numbers</summary>\n");
  put("<button type=\"button\" class=\"csv\" hidden>Download as CSV</button>\n");
  table(figure.title, figure.table);
  put("</details>\n</figure>\n");
}

// Figures that follow each other share a grid.
void Writer::blocks(const std::vector<Block>& all) {
  bool is_in_grid = false;
  for (const Block& one : all) {
    const bool is_figure = std::holds_alternative<ShownFigure>(one);
    if (is_figure != is_in_grid) put(is_figure ? "<div class=\"figures\">\n" : "</div>\n");
    is_in_grid = is_figure;
    std::visit([this](const auto& shown) { block(shown); }, one);
  }
  if (is_in_grid) put("</div>\n");
}

void Writer::section(const Section& section, int level, const std::string& id) {
  const std::string name = str("h", level);
  put("<section aria-labelledby=\"", id, "\">\n<", name, " id=\"", id, "\">",
      to_html(section.title), "</", name, ">\n");
  blocks(section.blocks);
  for (size_t i = 0; i < section.sections.size(); ++i) {
    this->section(section.sections[i], level + 1, id + "-" + std::to_string(i + 1));
  }
  put("</section>\n");
}

void Writer::head(const Page& page) {
  put("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "img-src data:; style-src 'unsafe-inline'; script-src 'sha256-",
      script_hash(kPageScript),
      "'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
      to_html(page.title), "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>", kPageStyle,
      "</style>\n</head>\n");
}

void Writer::contents(const Page& page) {
  put("<nav aria-label=\"Contents\">\n<ul>\n");
  for (size_t i = 0; i < page.sections.size(); ++i) {
    put("<li><a href=\"#section-", std::to_string(i + 1), "\">", to_html(page.sections[i].title),
        "</a></li>\n");
  }
  put("</ul>\n</nav>\n");
}

std::string Writer::page(const Page& page) {
  head(page);
  put("<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n<header>\n<h1>",
      to_html(page.title), "</h1>\n<button type=\"button\" id=\"theme\" hidden></button>\n<p>",
      to_html(page.summary), "</p>\n</header>\n<main id=\"main\">\n");
  blocks(page.at_the_top);
  contents(page);
  for (size_t i = 0; i < page.sections.size(); ++i) {
    section(page.sections[i], 2, "section-" + std::to_string(i + 1));
  }
  put("</main>\n<footer><p>Made by Sequela ", SEQUELA_VERSION, ". Figures by Apache ECharts.",
      "</p></footer>\n<script>", kPageScript, "</script>\n</body>\n</html>\n");
  return std::move(out_);
}

}  // namespace

std::string render(const Page& page) {
  return Writer().page(page);
}

}  // namespace sequela
