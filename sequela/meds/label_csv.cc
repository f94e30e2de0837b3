#include "sequela/meds/label_csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/nan.h"
#include "sequela/core/time.h"
#include "sequela/io/csv.h"

namespace sequela {
namespace {

// Where the columns are; -1 = not there.
struct Columns {
  int subject = -1;
  int time = -1;
  int category = -1;
  int number = -1;
  std::vector<int> values;
};

Columns find_columns(const CsvReader& csv) {
  Columns columns;
  const auto find = [&](const char* name) {
    return csv.find_column_of_any_case(name).value_or(-1);
  };
  columns.subject = find("subject_id");
  if (columns.subject < 0) columns.subject = find("patient_id");
  if (columns.subject < 0) columns.subject = csv.require_column("subject_id");
  columns.time = find("prediction_time");
  if (columns.time < 0) columns.time = csv.require_column("prediction_time");
  columns.category = find("categorical_value");
  columns.number = find("float_value");
  for (const char* name : {"boolean_value", "integer_value", "float_value", "value"}) {
    if (const int column = find(name); column >= 0) columns.values.push_back(column);
  }
  return columns;
}

// Nothing if the text is neither a number nor a truth value.
std::optional<double> parse_value(std::string_view text) {
  if (text == "True" || text == "true" || text == "TRUE") return 1;
  if (text == "False" || text == "false" || text == "FALSE") return 0;
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Reads the rows of one file; places in errors are rows of the table, from 0.
class LabelRows {
 public:
  LabelRows(const CsvReader& csv, ZoneRule zone_rule, TimeNotes* notes)
      : csv_(csv), columns_(find_columns(csv)), zone_rule_(zone_rule), notes_(notes) {}

  Label read(std::span<const std::string_view> fields, int64_t row) {
    row_ = row;
    Label label{.value = kNaN};
    label.subject_id = read_subject(stripped(fields[columns_.subject]));
    label.prediction_time_us = read_time(stripped(fields[columns_.time]));
    for (const int column : columns_.values) {
      label.value = read_value(column, fields);
      if (!std::isnan(label.value)) break;
    }
    if (columns_.number >= 0) label.number = read_value(columns_.number, fields);
    if (columns_.category >= 0) label.category = fields[columns_.category];
    return label;
  }

 private:
  double read_value(int column, std::span<const std::string_view> fields) const {
    const std::string_view text = stripped(fields[column]);
    if (text.empty()) return kNaN;
    const std::optional<double> value = parse_value(text);
    if (!value) fail(column, "neither a number nor True or False", "write one of them");
    return *value;
  }

  int64_t read_subject(std::string_view text) const {
    int64_t id = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (problem != std::errc() || end != text.data() + text.size() || text.empty()) {
      fail(columns_.subject, "no 64-bit integer", "give every label a subject_id");
    }
    return id;
  }

  int64_t read_time(std::string_view text) const {
    const std::optional<int64_t> time = text_time(text, zone_rule_, notes_);
    if (!time) fail(columns_.time, "no time", "write times as 2020-01-31 23:59:59");
    return std::clamp(*time, kMinTimeUs, kMaxTimeUs);
  }

  [[noreturn]] void fail(int column, const char* problem, const char* fix) const {
    throw DataError({.path = csv_.path(), .row = row_, .column = csv_.header()[column]}, problem,
                    fix);
  }

  const CsvReader& csv_;
  const Columns columns_;
  const ZoneRule zone_rule_;
  TimeNotes* const notes_;
  int64_t row_ = 0;
};

}  // namespace

void read_label_csv(const std::string& path, ZoneRule zone_rule, TimeNotes* notes,
                    std::vector<Label>* labels) {
  CsvReader csv(path, kDelimiterOfHeader, CsvQuoting::rfc4180);
  LabelRows rows(csv, zone_rule, notes);
  int64_t row = 0;
  csv.for_each_row([&](std::span<const std::string_view> fields, int64_t) {
    labels->push_back(rows.read(fields, row++));
  });
}

}  // namespace sequela
