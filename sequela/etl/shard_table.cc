#include "sequela/etl/shard_table.h"

#include "sequela/core/time.h"
#include "sequela/etl/spool.h"
#include "sequela/etl/units.h"

namespace sequela {
namespace {

enum Column { kSubjectId, kTimeColumn, kCode, kNumericValue, kTextValue, kBlock, kFirstExtra };

Table empty_table(const std::string& block_column, const std::vector<PlanColumn>& extras) {
  const std::vector<uint8_t> none;
  Table table = {
      {.name = "subject_id", .values = std::vector<int64_t>()},
      {.name = "time", .values = std::vector<int64_t>(), .is_timestamp = true},
      {.name = "code", .values = std::vector<std::string>()},
      {.name = "numeric_value", .values = std::vector<float>()},
      {.name = "text_value", .values = std::vector<std::string>(), .is_large_text = true},
      {.name = block_column, .values = std::vector<std::string>()}};
  for (const PlanColumn& extra : extras) {
    TableColumn column{.name = extra.name, .is_timestamp = extra.type == ValueType::time};
    switch (extra.type) {
      case ValueType::integer:
      case ValueType::time:
        column.values = std::vector<int64_t>();
        break;
      case ValueType::real:
        column.values = std::vector<double>();
        break;
      case ValueType::boolean:
        column.values = std::vector<uint8_t>();
        break;
      case ValueType::text:
        column.values = std::vector<std::string>();
        break;
    }
    table.push_back(std::move(column));
  }
  return table;
}

bool is_nullable(size_t column) {
  return column != kSubjectId && column != kCode && column != kBlock;
}

template <class T>
void set(TableColumn& column, T value) {
  std::get<std::vector<T>>(column.values).back() = std::move(value);
  if (!column.valid.empty()) column.valid.back() = 1;
}

// Takes one extra value off a record into the last row of a column.
void take_extra(RecordReader& reader, ValueType type, int64_t shift_us, TableColumn& column) {
  if (reader.take<uint8_t>() == 0) return;
  switch (type) {
    case ValueType::integer:
      set(column, reader.take<int64_t>());
      break;
    case ValueType::time:
      set(column, reader.take<int64_t>() + shift_us);
      break;
    case ValueType::real:
      set(column, reader.take<double>());
      break;
    case ValueType::boolean:
      set(column, reader.take<uint8_t>());
      break;
    case ValueType::text:
      set(column, std::string(reader.take_text()));
      break;
  }
}

// The reader behind the number and the text of a record.
RecordReader extras_of(std::string_view rest) {
  RecordReader reader(rest);
  const auto bits = reader.take<uint8_t>();
  if ((bits & kHasNumber) != 0) reader.take<float>();
  if ((bits & kHasText) != 0) reader.take_text();
  return reader;
}

}  // namespace

ShardTable::ShardTable(const std::string& block_column, const std::vector<PlanColumn>& extras)
    : extras_(extras), empty_(empty_table(block_column, extras)), table_(empty_) {}

void ShardTable::grow() {
  ++num_rows_;
  for (size_t c = 0; c < table_.size(); ++c) {
    std::visit([](auto& values) { values.emplace_back(); }, table_[c].values);
    if (is_nullable(c)) table_[c].valid.push_back(0);
  }
}

void ShardTable::add(const Event& event, const PlannedEvent& block,
                     const std::vector<size_t>& extra_of, std::string_view rest, int64_t shift_us,
                     bool drops_text) {
  grow();
  set(table_[kSubjectId], event.subject_id);
  if (event.time != kNoTime) set(table_[kTimeColumn], event.time);
  set(table_[kCode], std::string(event.code));
  set(table_[kBlock], std::string(event.block));
  RecordReader reader(rest);
  const auto bits = reader.take<uint8_t>();
  if ((bits & kHasNumber) != 0) set(table_[kNumericValue], reader.take<float>());
  if ((bits & kHasText) != 0) {
    const std::string_view text = reader.take_text();
    if (!drops_text) set(table_[kTextValue], std::string(text));
  }
  for (size_t i = 0; i < extra_of.size(); ++i) {
    take_extra(reader, block.extras[i].type, shift_us, table_[kFirstExtra + extra_of[i]]);
  }
}

void ShardTable::normalize_unit(const std::string& key, ShardLedger* ledger) {
  for (size_t i = 0; i < extras_.size(); ++i) {
    TableColumn& column = table_[kFirstExtra + i];
    if (extras_[i].name != "unit" || extras_[i].type != ValueType::text || column.valid.back() == 0)
      continue;
    std::string& unit = std::get<std::vector<std::string>>(column.values).back();
    if (const auto ucum = ucum_unit(unit)) {
      unit = std::string(*ucum);
    } else {
      ledger->found["units that are not known"].add(key);
    }
  }
}

Table ShardTable::take() {
  num_rows_ = 0;
  Table full = std::move(table_);
  table_ = empty_;
  return full;
}

int64_t end_of_visit(std::string_view rest, const PlannedEvent& block, int64_t time) {
  RecordReader reader = extras_of(rest);
  for (const PlanColumn& extra : block.extras) {
    if (reader.take<uint8_t>() == 0) {
      if (extra.name == "end") return time;
      continue;
    }
    switch (extra.type) {
      case ValueType::integer:
      case ValueType::time: {
        const auto value = reader.take<int64_t>();
        if (extra.name == "end" && extra.type == ValueType::time) return value;
        break;
      }
      case ValueType::real:
        reader.take<double>();
        break;
      case ValueType::boolean:
        reader.take<uint8_t>();
        break;
      case ValueType::text:
        reader.take_text();
        break;
    }
  }
  return time;
}

}  // namespace sequela
