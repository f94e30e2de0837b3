#include "sequela/meds/shard_events.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/utf8.h"
#include "sequela/meds/shard_reader.h"
#include "sequela/meds/text_rules.h"

namespace sequela {
namespace {

enum FixedColumn : size_t { kSubjectColumn, kTimeColumn, kCodeColumn };

void check_text(std::string_view text, const char* column) {
  if (is_valid_utf8(text)) return;
  throw DataError({.column = column}, "not valid UTF-8", "re-encode it");
}

}  // namespace

ShardEvents::ShardEvents(const std::string& path, ZoneRule zone_rule)
    : reader_(path), times_(reader_, "time", zone_rule) {
  check_meds_columns(reader_);
  for (const char* name : {"subject_id", "time", "code"}) {
    columns_.push_back(*reader_.find_column(name));
  }
  if (const auto number = reader_.find_filled_column("numeric_value")) {
    number_column_ = columns_.size();
    columns_.push_back(*number);
  }
  if (const auto text = reader_.find_filled_column("text_value")) {
    text_column_ = columns_.size();
    columns_.push_back(*text);
  }
}

void ShardEvents::read_row_group() {
  batches_.clear();
  batch_ = 0;
  row_in_batch_ = 0;
  const int group = row_group_++;
  if (reader_.row_group_rows(group) == 0) return;
  reader_.read_row_group(group, columns_,
                         [&](const RowBatch& batch) { batches_.push_back(batch); });
}

// Whether there is a row at hand, or one more row group to be read.
bool ShardEvents::has_row() {
  while (true) {
    while (batch_ < batches_.size() && row_in_batch_ >= batches_[batch_].num_rows) {
      ++batch_;
      row_in_batch_ = 0;
    }
    if (batch_ < batches_.size()) return true;
    if (row_group_ >= reader_.num_row_groups()) return false;
    read_row_group();
  }
}

void ShardEvents::skip(int64_t num_rows) {
  while (row_group_ < reader_.num_row_groups() && num_rows >= reader_.row_group_rows(row_group_)) {
    num_rows -= reader_.row_group_rows(row_group_++);
  }
  for (; num_rows > 0 && has_row(); --num_rows) ++row_in_batch_;
}

bool ShardEvents::next(ShardEvent& event) {
  if (!has_row()) return false;
  const RowBatch& batch = batches_[batch_];
  const int64_t i = row_in_batch_++;
  event = {.row = batch.first_row + i};
  try {
    read_row(batch, i, event);
  } catch (const DataError& error) {
    throw error.within(
        {.path = reader_.path(), .row_group = batch.row_group, .row = batch.first_row + i});
  }
  return true;
}

void ShardEvents::read_row(const RowBatch& batch, int64_t i, ShardEvent& event) {
  if (!batch.columns[kSubjectColumn].is_valid(i)) {
    throw DataError({.column = "subject_id"}, "null", "give every row a subject_id");
  }
  event.subject_id = batch.columns[kSubjectColumn].int64s[i];
  try {
    if (batch.columns[kTimeColumn].is_valid(i)) {
      event.time_us =
          std::clamp(times_.time_us(batch.columns[kTimeColumn], i), kMinTimeUs, kMaxTimeUs);
    }
    if (batch.columns[kCodeColumn].is_valid(i)) event.code = batch.columns[kCodeColumn].text(i);
    if (event.code.empty()) {
      throw DataError({.column = "code"}, "null or empty", "give every event a code");
    }
    check_text(event.code, "code");
    if (number_column_ != 0 && batch.columns[number_column_].is_valid(i)) {
      event.number = static_cast<float>(batch.columns[number_column_].number(i));
    }
    if (text_column_ != 0 && batch.columns[text_column_].is_valid(i)) {
      event.text = batch.columns[text_column_].text(i);
      check_text(event.text, "text_value");
    }
  } catch (const DataError& error) {
    throw error.within({.subject_id = event.subject_id});
  }
}

}  // namespace sequela
