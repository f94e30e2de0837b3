#include "sequela/pipeline/evaluation/report.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"

namespace sequela {
namespace {

std::string_view name_of(BinaryFigure figure) {
  return kBinaryFigureNames[static_cast<size_t>(figure)];
}

Json figures_json(const FigureTable& table) {
  Json figures = Json::object();
  for (const FigureResult& result : table.figures) {
    Json& figure = figures[std::string(name_of(result.figure))];
    figure = interval_json(result.interval);
    if (!result.why_not.empty()) figure["why_not"] = result.why_not;
  }
  return figures;
}

Json table_json(const FigureTable& table) {
  Json json;
  if (!table.column.empty()) json["column"] = table.column;
  if (!table.column.empty() && !table.is_gap) json["value"] = table.value;
  json["num_rows"] = table.num_rows;
  json["num_positive"] = table.num_positive;
  json["figures"] = figures_json(table);
  return json;
}

Json difference_json(const DifferenceTable& table) {
  Json figures = Json::object();
  for (const DifferenceResult& result : table.figures) {
    Json& figure = figures[std::string(name_of(result.figure))];
    figure = interval_json(result.test.difference);
    figure["p_value"] = number_json(result.test.p_value);
    figure["p_holm"] = number_json(result.p_holm);
    if (!result.why_not.empty()) figure["why_not"] = result.why_not;
  }
  Json delong = interval_json(table.delong.difference);
  delong["p_value"] = number_json(table.delong.p_value);
  return {{"first", table.first},       {"second", table.second},
          {"num_rows", table.num_rows}, {"num_positive", table.num_positive},
          {"figures", figures},         {"auroc_by_delong", delong}};
}

Json task_json(const TaskReport& report) {
  Json json = {{"task", report.name},
               {"num_rows", report.num_rows},
               {"num_positive", report.num_positive},
               {"num_subjects", report.num_subjects},
               {"methods", Json::array()},
               {"differences", Json::array()}};
  for (size_t m = 0; m < report.delong.size(); ++m) {
    const std::string& name = report.tables[m].method;
    Json method = {{"method", name}};
    method.update(table_json(report.tables[m]));
    method["auroc_by_delong"] = interval_json(report.delong[m]);
    method["subgroups"] = Json::array();
    method["gaps"] = Json::array();
    for (const FigureTable& table : report.tables) {
      if (table.method != name || table.column.empty()) continue;
      method[table.is_gap ? "gaps" : "subgroups"].push_back(table_json(table));
    }
    json["methods"].push_back(std::move(method));
  }
  for (const DifferenceTable& table : report.differences) {
    json["differences"].push_back(difference_json(table));
  }
  return json;
}

// A field, in quotes where it must be.
std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_of(const TaskReport& report) {
  std::string text;
  for (const FigureTable& table : report.tables) {
    const std::string subgroup = table.column.empty() ? "all"
                                 : table.is_gap       ? table.column + ": gap"
                                                      : table.column + "=" + table.value;
    for (const FigureResult& result : table.figures) {
      text +=
          csv_line({report.name, table.method, subgroup, name_of(result.figure), result.interval,
                    table.num_rows, table.num_positive, result.why_not, "", ""});
    }
  }
  for (const DifferenceTable& table : report.differences) {
    const std::string method = table.first + " - " + table.second;
    for (const DifferenceResult& result : table.figures) {
      text += csv_line({report.name, method, "all", name_of(result.figure), result.test.difference,
                        table.num_rows, table.num_positive, result.why_not,
                        csv_number(result.test.p_value), csv_number(result.p_holm)});
    }
  }
  return text;
}

}  // namespace

Json number_json(double value) {
  return std::isnan(value) ? Json() : Json(value);
}

Json interval_json(const Interval& interval) {
  return {{"value", number_json(interval.value)},
          {"low", number_json(interval.low)},
          {"high", number_json(interval.high)}};
}

Json to_json(const std::vector<TaskReport>& reports) {
  Json tasks = Json::array();
  for (const TaskReport& report : reports) tasks.push_back(task_json(report));
  return {{"tasks", tasks}};
}

std::string csv_number(double value) {
  if (std::isnan(value)) return "";
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string csv_line(const CsvRow& row) {
  return str(csv_field(row.task), ',', csv_field(row.method), ',', csv_field(row.subgroup), ',',
             row.metric, ',', csv_number(row.interval.value), ',', csv_number(row.interval.low),
             ',', csv_number(row.interval.high), ',', row.num_rows, ',', row.num_positive, ',',
             csv_field(row.why_not), ',', row.p_value, ',', row.p_holm, '\n');
}

std::string to_csv(const std::vector<TaskReport>& reports) {
  std::string text =
      "task,method,subgroup,metric,value,low,high,n,n_positive,why_not,p_value,p_holm\n";
  for (const TaskReport& report : reports) text += csv_of(report);
  return text;
}

}  // namespace sequela
