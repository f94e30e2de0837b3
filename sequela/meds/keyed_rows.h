#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"
#include "sequela/io/time_column.h"

namespace sequela {

// What a row of a table is about.
struct PredictionKey {
  int64_t subject_id = 0;
  int64_t prediction_time_us = 0;  // 0 where the table has no times

  friend auto operator<=>(const PredictionKey&, const PredictionKey&) = default;
};

// subject_id (integer) and prediction_time (timestamp of any unit, date, or text) of a Parquet
// table: labels, predictions, subgroups.
class KeyColumns {
 public:
  enum class Times { required, if_filled };

  // `fix` mends a key that is null. DataError for a column that is missing or of another type.
  KeyColumns(const ParquetReader& reader, ZoneRule zone_rule, Times times, const char* fix);

  // Their places in the reader, to be the first of those that are read.
  const std::vector<int>& columns() const { return columns_; }
  bool has_times() const { return time_.has_value(); }
  // Times are clipped to the range of events', so that their order stays. DataError with its
  // column.
  PredictionKey read(const RowBatch& batch, int64_t row);
  TimeNotes notes() const { return time_ ? time_->notes() : TimeNotes{}; }

 private:
  std::optional<TimeColumn> time_;
  std::vector<int> columns_;
  const char* fix_;
};

// Calls visit(batch, row) for each row of the table; a DataError gets its file and row.
template <class Visit>
void read_each_row(ParquetReader& reader, const std::vector<int>& columns, Visit&& visit) {
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      try {
        visit(batch, row);
      } catch (const DataError& error) {
        throw error.within({.path = reader.path(), .row = batch.first_row + row});
      }
    }
  });
}

}  // namespace sequela
