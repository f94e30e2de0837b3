#include "sequela/meds/shard_reader.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/meds/property_values.h"

namespace sequela {
namespace {

enum Column : size_t { kSubjectId, kTime, kCode, kNumFixed };

[[noreturn]] void fail_at(const RowBatch& batch, int64_t row, const DataError& error) {
  throw error.within({.row_group = batch.row_group, .row = batch.first_row + row});
}

// Fills blocks from the runs of rows that the reader hands out, and passes them to the builder.
class ShardReader {
 public:
  ShardReader(const std::string& path, const std::vector<PropertyColumn>& properties,
              ZoneRule zone_rule, ShardBuilder* builder);
  void read();

 private:
  void read_batch(const RowBatch& batch);
  void fill_subjects(const RowBatch& batch, int64_t begin);
  void fill_times(const RowBatch& batch, int64_t begin);
  void fill_codes(const RowBatch& batch, int64_t begin);
  void fill_property(const RowBatch& batch, size_t property, int64_t begin);

  ParquetReader reader_;
  TimeColumn times_;
  const std::vector<PropertyColumn>& properties_;
  ShardBuilder* builder_;
  EventBlock block_;
  std::vector<int> columns_;           // asked of the reader
  std::vector<int> property_columns_;  // by property: index into columns_, -1 = not in this shard
  std::vector<ColumnType> property_types_;
  std::vector<int32_t> code_ids_;  // by entry of the run's dictionary, -1 = not met yet
  std::vector<std::vector<int32_t>> text_ids_;  // the same by property; -2 = not met yet
};

ShardReader::ShardReader(const std::string& path, const std::vector<PropertyColumn>& properties,
                         ZoneRule zone_rule, ShardBuilder* builder)
    : reader_(path),
      times_(reader_, "time", zone_rule),
      properties_(properties),
      builder_(builder),
      block_(properties),
      text_ids_(properties.size()) {
  check_meds_columns(reader_);
  for (const char* name : {"subject_id", "time", "code"}) {
    columns_.push_back(*reader_.find_column(name));
  }
  for (const PropertyColumn& property : properties) {
    const auto column = reader_.find_filled_column(property.name);
    property_columns_.push_back(column ? static_cast<int>(columns_.size()) : -1);
    property_types_.push_back(column ? reader_.columns()[*column].type : ColumnType::other);
    if (column) columns_.push_back(*column);
  }
}

void ShardReader::read() {
  for (int group = 0; group < reader_.num_row_groups(); ++group) {
    throw_if_stopped();
    if (reader_.row_group_rows(group) == 0) continue;
    reader_.read_row_group(group, columns_, [&](const RowBatch& batch) { read_batch(batch); });
  }
}

void ShardReader::read_batch(const RowBatch& batch) {
  if (batch.num_rows > reader_.num_rows() - batch.first_row) {
    throw DataError({.row_group = batch.row_group}, "more rows than its header says",
                    "write the file again");
  }
  code_ids_.assign(batch.columns[kCode].dictionary_size, -1);
  for (size_t p = 0; p < properties_.size(); ++p) {
    if (property_columns_[p] < 0 || property_types_[p] != ColumnType::string) continue;
    text_ids_[p].assign(batch.columns[property_columns_[p]].dictionary_size, kUnknownText);
  }
  block_.row_group = batch.row_group;
  for (int64_t begin = 0; begin < batch.num_rows; begin += block_.size) {
    block_.size = std::min(EventBlock::kMaxEvents, batch.num_rows - begin);
    fill_subjects(batch, begin);
    fill_times(batch, begin);
    fill_codes(batch, begin);
    for (size_t p = 0; p < properties_.size(); ++p) fill_property(batch, p, begin);
    builder_->append(block_);
  }
}

void ShardReader::fill_subjects(const RowBatch& batch, int64_t begin) {
  const ColumnSlice& slice = batch.columns[kSubjectId];
  if (slice.has_nulls()) {
    for (int64_t i = begin; i < begin + block_.size; ++i) {
      if (slice.is_valid(i)) continue;
      fail_at(batch, i, DataError({.column = "subject_id"}, "null", "give every row a subject_id"));
    }
  }
  std::copy_n(slice.int64s + begin, block_.size, block_.subject_ids.data());
}

void ShardReader::fill_times(const RowBatch& batch, int64_t begin) {
  const ColumnSlice& slice = batch.columns[kTime];
  const int64_t* from = slice.int64s + begin;
  const bool is_plain = times_.is_plain();
  for (int64_t i = 0; i < block_.size; ++i) {
    if (!slice.is_valid(begin + i)) {
      block_.times_us[i] = kNoTime;
    } else {
      block_.times_us[i] =
          builder_->clip_time(is_plain ? from[i] : times_.time_us(slice, begin + i));
    }
  }
}

void ShardReader::fill_codes(const RowBatch& batch, int64_t begin) {
  const ColumnSlice& slice = batch.columns[kCode];
  for (int64_t i = 0; i < block_.size; ++i) {
    const int64_t row = begin + i;
    try {
      if (!slice.is_valid(row)) {
        throw DataError({.column = "code"}, "null", "give every event a code");
      }
      int32_t& id = code_ids_[slice.indices[row]];
      if (id < 0) id = builder_->add_code(slice.text(row));
      block_.codes[i] = id;
    } catch (const DataError& error) {
      fail_at(batch, row, error.within({.subject_id = block_.subject_ids[i]}));
    }
  }
}

void ShardReader::fill_property(const RowBatch& batch, size_t property, int64_t begin) {
  if (property_columns_[property] < 0) {
    fill_with_nulls(property, properties_[property], &block_);
    return;
  }
  const ColumnSlice& slice = batch.columns[property_columns_[property]];
  const PropertySource source{slice, property_types_[property], begin, batch.first_row};
  if (!properties_[property].is_text) {
    fill_numbers(source, property, builder_, &block_);
    return;
  }
  try {
    fill_texts(source, property, &text_ids_[property], builder_, &block_);
  } catch (const DataError& error) {
    throw error.within({.row_group = batch.row_group});
  }
}

}  // namespace

void check_meds_columns(const ParquetReader& reader) {
  const int subject_id = reader.require_column("subject_id", {ColumnType::int64});
  const ColumnInfo& info = reader.columns()[subject_id];
  if (info.is_date) {
    throw DataError({.path = reader.path(), .column = "subject_id"}, "has type " + info.type_name,
                    "store it as int64");
  }
  [[maybe_unused]] const TimeColumn time(reader, "time",
                                         ZoneRule::utc);  // refuses one that is no time
  reader.require_column("code", {ColumnType::string});
  if (const auto number = reader.find_filled_column("numeric_value")) {
    if (reader.columns()[*number].is_date) {
      throw DataError({.path = reader.path(), .column = "numeric_value"}, "holds dates",
                      "store numbers in it");
    }
    reader.require_column("numeric_value",
                          {ColumnType::float32, ColumnType::float64, ColumnType::int64});
  }
  if (reader.find_filled_column("text_value")) {
    reader.require_column("text_value", {ColumnType::string});
  }
}

void read_parquet_shard(const std::string& path, const std::vector<PropertyColumn>& properties,
                        ZoneRule zone_rule, ShardBuilder* builder) {
  try {
    ShardReader(path, properties, zone_rule, builder).read();
  } catch (const DataError& error) {
    throw error.within({.path = path});
  }
}

}  // namespace sequela
