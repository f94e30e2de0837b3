#include "sequela/label/subject_scan.h"

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/shard_reader.h"

namespace sequela {
namespace {

enum Column : size_t { kSubjectId, kTime, kCode, kNumFixed };

class ShardScan {
 public:
  ShardScan(const std::string& path, const ScanTask& task, const SubjectVisitor& visit);
  void run();

 private:
  void read_batch(const RowBatch& batch);
  void add_row(const RowBatch& batch, int64_t row);
  int64_t time_at(const RowBatch& batch, int64_t row);
  float value_at(const RowBatch& batch, int64_t row) const;
  uint32_t columns_at(const RowBatch& batch, int64_t row) const;
  bool holds(const ColumnRule& rule, const ColumnSlice& slice, int64_t row) const;
  void end_subject();
  void check_subjects();

  ParquetReader reader_;
  TimeColumn times_;
  const ScanTask& task_;
  const SubjectVisitor& visit_;
  std::vector<int> columns_;         // asked of the reader
  int value_place_ = -1;             // in columns_; -1 = the shard has no values
  std::vector<size_t> rule_places_;  // by rule: place in columns_
  std::vector<int32_t> codes_;       // by entry of the run's dictionary
  SubjectRecord record_;
  bool has_subject_ = false;
  std::vector<int64_t> ids_;  // in order of the file
};

ShardScan::ShardScan(const std::string& path, const ScanTask& task, const SubjectVisitor& visit)
    : reader_(path), times_(reader_, "time", task.zone_rule), task_(task), visit_(visit) {
  check_meds_columns(reader_);
  for (const char* name : {"subject_id", "time", "code"}) {
    columns_.push_back(*reader_.find_column(name));
  }
  const auto place_of = [&](int column) {
    const size_t place = std::ranges::find(columns_, column) - columns_.begin();
    if (place == columns_.size()) columns_.push_back(column);
    return place;
  };
  if (const auto column = reader_.find_filled_column("numeric_value"); column && task.has_values) {
    value_place_ = static_cast<int>(place_of(*column));
  }
  for (const ColumnRule& rule : task.rules.rules()) {
    const int column = reader_.require_column(
        rule.column, {ColumnType::string, ColumnType::int64, ColumnType::float32,
                      ColumnType::float64, ColumnType::boolean});
    rule_places_.push_back(place_of(column));
  }
}

void ShardScan::run() {
  for (int group = 0; group < reader_.num_row_groups(); ++group) {
    throw_if_stopped();
    if (reader_.row_group_rows(group) == 0) continue;
    reader_.read_row_group(group, columns_, [&](const RowBatch& batch) { read_batch(batch); });
  }
  end_subject();
  check_subjects();
}

void ShardScan::read_batch(const RowBatch& batch) {
  const ColumnSlice& codes = batch.columns[kCode];
  task_.matcher->number({codes.dictionary, static_cast<size_t>(codes.dictionary_size)}, &codes_);
  const bool has_gaps = codes.has_nulls() || batch.columns[kSubjectId].has_nulls();
  for (int64_t row = 0; row < batch.num_rows; ++row) {
    try {
      if (has_gaps) {
        for (const Column column : {kSubjectId, kCode}) {
          if (batch.columns[column].is_valid(row)) continue;
          throw DataError({.column = column == kCode ? "code" : "subject_id"}, "null",
                          "give every event a subject_id and a code");
        }
      }
      add_row(batch, row);
    } catch (const DataError& error) {
      throw error.within(
          {.path = reader_.path(), .row_group = batch.row_group, .row = batch.first_row + row});
    }
  }
}

int64_t ShardScan::time_at(const RowBatch& batch, int64_t row) {
  const ColumnSlice& slice = batch.columns[kTime];
  if (!slice.is_valid(row)) return kNoTime;
  const int64_t time_us = times_.is_plain() ? slice.int64s[row] : times_.time_us(slice, row);
  return std::clamp(time_us, kMinTimeUs, kMaxTimeUs);
}

float ShardScan::value_at(const RowBatch& batch, int64_t row) const {
  if (value_place_ < 0) return kNullFloat;
  const ColumnSlice& slice = batch.columns[value_place_];
  if (!slice.is_valid(row)) return kNullFloat;
  const float value = static_cast<float>(slice.number(row));
  return std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value;
}

bool ShardScan::holds(const ColumnRule& rule, const ColumnSlice& slice, int64_t row) const {
  if (!slice.is_valid(row)) return false;
  if (slice.dictionary != nullptr) return slice.text(row) == rule.value;
  return is_rule_number(rule, slice.number(row));
}

uint32_t ShardScan::columns_at(const RowBatch& batch, int64_t row) const {
  uint32_t mask = 0;
  for (size_t i = 0; i < rule_places_.size(); ++i) {
    const ColumnSlice& slice = batch.columns[rule_places_[i]];
    if (holds(task_.rules.rules()[i], slice, row)) mask |= uint32_t{1} << i;
  }
  return mask;
}

void ShardScan::add_row(const RowBatch& batch, int64_t row) {
  const int64_t id = batch.columns[kSubjectId].int64s[row];
  if (!has_subject_ || id != record_.id) {
    end_subject();
    record_.id = id;
    has_subject_ = true;
    ids_.push_back(id);
  }
  ++record_.num_events;
  const int64_t time_us = time_at(batch, row);
  if (time_us != kNoTime) record_.add_time(time_us);
  const int32_t code = codes_[batch.columns[kCode].indices[row]];
  if (code == 0) return;
  (time_us == kNoTime ? record_.statics : record_.events)
      .push_back({time_us, code, value_at(batch, row), columns_at(batch, row)});
}

void ShardScan::end_subject() {
  if (!has_subject_) return;
  record_.order();
  visit_(record_);
  record_.clear();
  has_subject_ = false;
}

void ShardScan::check_subjects() {
  std::ranges::sort(ids_);
  const auto twice = std::ranges::adjacent_find(ids_);
  if (twice == ids_.end()) return;
  throw DataError({.path = reader_.path(), .column = "subject_id", .subject_id = *twice},
                  "the subject's events stand apart in the file", "sort by subject_id and time");
}

}  // namespace

bool needs_values(const Plan& plan) {
  if (plan.label.as >= LabelAs::first && plan.label.as <= LabelAs::mean) return true;
  return std::ranges::any_of(plan.plains, [](const Predicate& plain) {
    return plain.value.is_set() || plain.change.is_set();
  });
}

void scan_shard(const std::string& path, const ScanTask& task, const SubjectVisitor& visit) {
  if (ParquetReader(path).num_rows() == 0) return;  // its columns may have no type
  ShardScan(path, task, visit).run();
}

}  // namespace sequela
