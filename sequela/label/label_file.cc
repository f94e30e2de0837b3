#include "sequela/label/label_file.h"

namespace sequela {
namespace {

// A column of one member of the rows.
template <class Cell, class T>
TableColumn column_of(const std::vector<LabelRow>& rows, const char* name,
                      std::optional<T> LabelRow::*member) {
  TableColumn column{.name = name};
  std::vector<Cell> values;
  values.reserve(rows.size());
  for (const LabelRow& row : rows) {
    values.push_back((row.*member).value_or(T{}));
    column.valid.push_back((row.*member).has_value() ? 1 : 0);
  }
  column.values = std::move(values);
  return column;
}

Table table_of(const std::vector<LabelRow>& rows) {
  TableColumn ids{.name = "subject_id"};
  std::vector<int64_t> values;
  for (const LabelRow& row : rows) values.push_back(row.subject_id);
  ids.values = std::move(values);
  Table table = {std::move(ids)};
  table.push_back(column_of<int64_t>(rows, "prediction_time", &LabelRow::prediction_time_us));
  table.back().is_timestamp = true;
  table.push_back(column_of<uint8_t>(rows, "boolean_value", &LabelRow::boolean));
  table.push_back(column_of<int64_t>(rows, "integer_value", &LabelRow::integer));
  table.push_back(column_of<float>(rows, "float_value", &LabelRow::number));
  table.push_back(column_of<std::string>(rows, "categorical_value", &LabelRow::category));
  return table;
}

}  // namespace

LabelFile::LabelFile(const std::string& path) : writer_(path) {}

void LabelFile::add(std::vector<LabelRow>* rows) {
  if (rows->empty()) return;
  writer_.write(table_of(*rows));
  rows->clear();
  has_rows_ = true;
}

void LabelFile::finish() {
  if (!has_rows_) writer_.write(table_of({}));
  writer_.finish();
}

}  // namespace sequela
