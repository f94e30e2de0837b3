#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/time.h"
#include "sequela/io/parquet.h"
#include "sequela/io/time_column.h"

namespace sequela {

// A row of a shard. Texts live until the next call of next().
struct ShardEvent {
  int64_t row = 0;  // within the file
  int64_t subject_id = 0;
  int64_t time_us = kNoTime;  // kNoTime = static
  std::string_view code;
  std::optional<float> number;
  std::string_view text;  // empty = none
};

// The events of one Parquet shard of a MEDS data set one by one, in the order of the file, with
// numeric_value and text_value as the event store has them. One row group is in memory at a time.
class ShardEvents {
 public:
  // DataError as check_meds_columns().
  ShardEvents(const std::string& path, ZoneRule zone_rule);

  // False after the last row. DataError (with path, row group, row, subject) for a row that is no
  // event; the next call goes on behind it.
  bool next(ShardEvent& event);
  // Passes over the first rows. To be called before next().
  void skip(int64_t num_rows);
  const TimeNotes& time_notes() const { return times_.notes(); }

 private:
  bool has_row();
  void read_row_group();
  void read_row(const RowBatch& batch, int64_t i, ShardEvent& event);

  ParquetReader reader_;
  TimeColumn times_;
  std::vector<int> columns_;  // asked of the reader: subject_id, time, code, then values
  size_t number_column_ = 0, text_column_ = 0;  // indices into columns_; 0 = not in this shard
  int row_group_ = 0;                           // the next one to be read
  std::vector<RowBatch> batches_;               // of the row group at hand
  size_t batch_ = 0;
  int64_t row_in_batch_ = 0;
};

}  // namespace sequela
