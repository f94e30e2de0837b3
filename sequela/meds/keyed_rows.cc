#include "sequela/meds/keyed_rows.h"

#include <algorithm>

#include "sequela/core/time.h"

namespace sequela {
namespace {

constexpr const char* kKeyNames[] = {"subject_id", "prediction_time"};

}  // namespace

KeyColumns::KeyColumns(const ParquetReader& reader, ZoneRule zone_rule, Times times,
                       const char* fix)
    : fix_(fix) {
  if (times == Times::required || reader.find_filled_column(kKeyNames[1]))
    time_.emplace(reader, kKeyNames[1], zone_rule, TimeColumn::Texts::allowed);
  columns_.push_back(reader.require_column(kKeyNames[0], {ColumnType::int64}));
  if (time_) columns_.push_back(time_->column());
}

PredictionKey KeyColumns::read(const RowBatch& batch, int64_t row) {
  for (size_t place = 0; place < columns_.size(); ++place) {
    if (!batch.columns[place].is_valid(row))
      throw DataError({.column = kKeyNames[place]}, "null", fix_);
  }
  PredictionKey key{.subject_id = batch.columns[0].int64s[row]};
  if (!time_) return key;
  try {
    key.prediction_time_us =
        std::clamp(time_->time_us(batch.columns[1], row), kMinTimeUs, kMaxTimeUs);
  } catch (const DataError& error) {
    throw error.within({.column = kKeyNames[1]});
  }
  return key;
}

}  // namespace sequela
