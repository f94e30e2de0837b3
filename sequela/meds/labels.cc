#include "sequela/meds/labels.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/parquet.h"

namespace sequela {
namespace {

double read_value(const ColumnSlice& slice, ColumnType type, int64_t row) {
  switch (type) {
    case ColumnType::boolean:
      return slice.booleans[row] != 0 ? 1 : 0;
    case ColumnType::int64:
      return static_cast<double>(slice.int64s[row]);
    case ColumnType::float32:
      return slice.floats[row];
    default:
      return slice.doubles[row];
  }
}

// Which of the reader's columns the label schema knows, and where they are in a batch.
struct LabelColumns {
  std::vector<int> columns;  // subject_id, prediction_time, then those below that exist
  struct Value {
    size_t place;
    ColumnType type;
  };
  std::vector<Value> values;
  std::optional<size_t> category;
};

LabelColumns find_columns(const ParquetReader& reader) {
  LabelColumns found;
  found.columns = {reader.require_column("subject_id", {ColumnType::int64}),
                   reader.require_column("prediction_time", {ColumnType::timestamp})};
  const std::vector<std::pair<const char*, std::vector<ColumnType>>> values = {
      {"boolean_value", {ColumnType::boolean}},
      {"integer_value", {ColumnType::int64}},
      {"float_value", {ColumnType::float32, ColumnType::float64}}};
  for (const auto& [name, types] : values) {
    if (!reader.find_column(name)) continue;
    const int column = reader.require_column(name, types);
    found.values.push_back({found.columns.size(), reader.columns()[column].type});
    found.columns.push_back(column);
  }
  if (reader.find_column("categorical_value")) {
    found.category = found.columns.size();
    found.columns.push_back(reader.require_column("categorical_value", {ColumnType::string}));
  }
  return found;
}

Label read_label(const LabelColumns& found, const RowBatch& batch, int64_t row,
                 const std::string& path) {
  for (const size_t column : {0, 1}) {
    if (batch.columns[column].is_valid(row)) continue;
    throw DataError({.path = path,
                     .row_group = batch.row_group,
                     .row = batch.first_row + row,
                     .column = column == 0 ? "subject_id" : "prediction_time"},
                    "null", "give every label a subject_id and a prediction_time");
  }
  Label label{.subject_id = batch.columns[0].int64s[row],
              .prediction_time_us = batch.columns[1].int64s[row],
              .value = std::numeric_limits<double>::quiet_NaN()};
  // Events are clipped to the same range, so that their order stays.
  label.prediction_time_us = std::clamp(label.prediction_time_us, kMinTimeUs, kMaxTimeUs);
  for (const auto& value : found.values) {
    if (!batch.columns[value.place].is_valid(row)) continue;
    label.value = read_value(batch.columns[value.place], value.type, row);
    break;
  }
  if (found.category && batch.columns[*found.category].is_valid(row)) {
    label.category = batch.columns[*found.category].text(row);
  }
  return label;
}

}  // namespace

std::vector<Label> read_labels(const std::string& path) {
  ParquetReader reader(path);
  const LabelColumns found = find_columns(reader);
  std::vector<Label> labels;
  labels.reserve(static_cast<size_t>(reader.num_rows()));
  reader.read(found.columns, [&](const RowBatch& batch) {
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      labels.push_back(read_label(found, batch, row, path));
    }
  });
  return labels;
}

}  // namespace sequela
