#include "sequela/meds/labels.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>

#include "sequela/core/error.h"
#include "sequela/core/nan.h"
#include "sequela/io/parquet.h"
#include "sequela/io/unpack.h"
#include "sequela/io/uri.h"
#include "sequela/meds/keyed_rows.h"
#include "sequela/meds/label_csv.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// Which of the reader's columns the label schema knows, and where they are in a batch.
struct LabelColumns {
  KeyColumns key;
  std::vector<int> columns;  // the key's, then those below that exist
  std::vector<size_t> values;
  std::optional<size_t> category, number;
};

LabelColumns find_columns(const ParquetReader& reader, ZoneRule zone_rule) {
  LabelColumns found{KeyColumns(reader, zone_rule, KeyColumns::Times::required,
                                "give every label a subject_id and a prediction_time")};
  found.columns = found.key.columns();
  for (const char* name : {"boolean_value", "integer_value", "float_value"}) {
    if (!reader.find_filled_column(name)) continue;
    const int column = reader.require_column(
        name, {ColumnType::boolean, ColumnType::int64, ColumnType::float32, ColumnType::float64});
    if (std::string_view(name) == "float_value") found.number = found.columns.size();
    found.values.push_back(found.columns.size());
    found.columns.push_back(column);
  }
  if (reader.find_filled_column("categorical_value")) {
    found.category = found.columns.size();
    found.columns.push_back(reader.require_column("categorical_value", {ColumnType::string}));
  }
  return found;
}

Label read_label(LabelColumns& found, const RowBatch& batch, int64_t row) {
  const PredictionKey key = found.key.read(batch, row);
  Label label{
      .subject_id = key.subject_id, .prediction_time_us = key.prediction_time_us, .value = kNaN};
  for (const size_t place : found.values) {
    if (!batch.columns[place].is_valid(row)) continue;
    label.value = batch.columns[place].number(row);
    break;
  }
  if (found.category && batch.columns[*found.category].is_valid(row)) {
    label.category = batch.columns[*found.category].text(row);
  }
  if (found.number && batch.columns[*found.number].is_valid(row))
    label.number = batch.columns[*found.number].number(row);
  return label;
}

void read_label_parquet(const std::string& path, ZoneRule zone_rule, TimeNotes* notes,
                        std::vector<Label>* labels) {
  ParquetReader reader(path);
  if (reader.num_rows() == 0) return;  // an empty shard's columns may have no type
  LabelColumns found = find_columns(reader, zone_rule);
  read_each_row(reader, found.columns, [&](const RowBatch& batch, int64_t row) {
    labels->push_back(read_label(found, batch, row));
  });
  notes->add(found.key.notes());
}

bool is_csv(const std::string& path) {
  return unpacked_ending(path) == ".csv";
}

std::vector<std::string> list_csv_files(const std::string& folder) {
  std::vector<std::string> files;
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::end(entry); ++entry) {
    const std::string name = entry->path().filename().string();
    const bool is_hidden = name.starts_with('.') || name.starts_with('_');
    if (is_hidden && entry->is_directory()) entry.disable_recursion_pending();
    if (!is_hidden && entry->is_regular_file() && is_csv(name)) {
      files.push_back(entry->path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<std::string> list_label_files(const std::string& path) {
  const bool is_folder =
      is_uri(path) ? !path.substr(0, path.find('?')).ends_with(".parquet") : fs::is_directory(path);
  if (!is_folder) return {path};
  if (!is_uri(path)) {
    std::vector<std::string> files = list_csv_files(path);
    const bool has_parquet = std::ranges::any_of(
        fs::recursive_directory_iterator(path),
        [](const auto& entry) { return entry.path().extension() == ".parquet"; });
    if (!has_parquet && !files.empty()) return files;
  }
  return list_parquet_files(path);
}

std::vector<Label> read_labels(const std::string& path, ZoneRule zone_rule) {
  std::vector<Label> labels;
  TimeNotes notes;
  for (const std::string& file : list_label_files(path)) {
    if (is_csv(file)) {
      read_label_csv(file, zone_rule, &notes, &labels);
    } else {
      read_label_parquet(file, zone_rule, &notes, &labels);
    }
  }
  notes.say("labels", zone_rule);
  return labels;
}

void write_boolean_labels(const std::string& path, const std::vector<Label>& labels) {
  std::vector<int64_t> subjects, times;
  std::vector<uint8_t> outcomes;
  for (const Label& label : labels) {
    subjects.push_back(label.subject_id);
    times.push_back(label.prediction_time_us);
    outcomes.push_back(label.value > 0);
  }
  write_parquet(path, {{.name = "subject_id", .values = subjects},
                       {.name = "prediction_time", .values = times, .is_timestamp = true},
                       {.name = "boolean_value", .values = outcomes}});
}

}  // namespace sequela
