#include "sequela/etl/table_reader.h"

#include <algorithm>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/time.h"
#include "sequela/etl/spool.h"

namespace sequela {
namespace {

constexpr size_t kNone = SIZE_MAX;
const char* const kNoSubject = "no subject_id";
const char* const kNotConverted = "a value that cannot be converted";
const char* const kNoCode = "no code";
const char* const kNoTimeGiven = "no time";
const char* const kOutOfRange = "a time outside the years 1 to 9999";

// Where a block's parts stand in select_of()'s rows.
struct BlockColumns {
  size_t code = kNone, time = kNone, number = kNone, text = kNone, wanted = kNone, failed = kNone,
         components = kNone, first_extra = kNone;
};

std::vector<BlockColumns> block_columns(const TablePlan& table) {
  size_t next = 2;  // subject_id, key
  const auto place = [&next](const std::string& sql) { return sql.empty() ? kNone : next++; };
  std::vector<BlockColumns> all;
  for (const PlannedEvent& block : table.blocks) {
    BlockColumns columns;
    columns.code = place(block.code);
    columns.time = place(block.time);
    columns.number = place(block.numeric_value);
    columns.text = place(block.text_value);
    columns.wanted = place(block.wanted);
    columns.failed = place(block.failed);
    columns.components = place(block.components);
    columns.first_extra = next;
    next += block.extras.size();
    all.push_back(columns);
  }
  return all;
}

class TableReader {
 public:
  TableReader(const TablePlan& table, int32_t first_block, int64_t num_shards, size_t buffer_bytes,
              const std::string& path)
      : table_(table),
        columns_(block_columns(table)),
        first_block_(first_block),
        num_shards_(num_shards),
        spool_(path, num_shards, buffer_bytes) {
    ledger_.name = table.name;
    for (const PlannedEvent& block : table.blocks) ledger_.events[block.name] = 0;
  }

  void add(const DuckChunk& chunk) {
    for (int64_t row = 0; row < chunk.num_rows(); ++row) add_row(chunk, row);
  }
  TableLedger finish() {
    spool_.finish(ledger_);
    return ledger_;
  }

 private:
  void add_row(const DuckChunk& chunk, int64_t row);
  // Why the row does not give the block's event; null if it does.
  const char* fault(const DuckChunk& chunk, int64_t row, const BlockColumns& columns) const;
  void spool(const DuckChunk& chunk, int64_t row, size_t block);
  void put_extra(const DuckChunk& chunk, int64_t row, size_t column, ValueType type);
  std::string key(const DuckChunk& chunk, int64_t row) const;

  const TablePlan& table_;
  const std::vector<BlockColumns> columns_;
  const int32_t first_block_;
  const int64_t num_shards_;
  SpoolWriter spool_;
  TableLedger ledger_;
  SpoolRecord record_;
};

std::string TableReader::key(const DuckChunk& chunk, int64_t row) const {
  if (chunk.is_valid(1, row)) return std::string(chunk.text(1, row));
  if (chunk.is_valid(0, row)) return str("subject ", chunk.integer(0, row));
  return "";
}

const char* TableReader::fault(const DuckChunk& chunk, int64_t row,
                               const BlockColumns& columns) const {
  if (columns.failed != kNone && chunk.is_valid(columns.failed, row) &&
      chunk.boolean(columns.failed, row)) {
    return kNotConverted;
  }
  if (!chunk.is_valid(columns.code, row) || chunk.text(columns.code, row).empty()) return kNoCode;
  if (columns.time == kNone) return nullptr;
  if (!chunk.is_valid(columns.time, row)) return kNoTimeGiven;
  const int64_t time = chunk.integer(columns.time, row);
  return time >= kMinTimeUs && time < kMaxTimeUs ? nullptr : kOutOfRange;
}

void TableReader::add_row(const DuckChunk& chunk, int64_t row) {
  ++ledger_.num_rows;
  if (!chunk.is_valid(0, row)) {
    ledger_.dropped[kNoSubject].add(key(chunk, row));
    return;
  }
  const char* first_fault = nullptr;
  bool has_event = false;
  for (size_t b = 0; b < columns_.size(); ++b) {
    const BlockColumns& columns = columns_[b];
    if (columns.wanted != kNone &&
        !(chunk.is_valid(columns.wanted, row) && chunk.boolean(columns.wanted, row))) {
      continue;
    }
    if (const char* reason = fault(chunk, row, columns)) {
      ledger_.withheld[table_.blocks[b].name][reason].add(key(chunk, row));
      if (first_fault == nullptr || reason == kNotConverted) first_fault = reason;
      continue;
    }
    spool(chunk, row, b);
    ++ledger_.events[table_.blocks[b].name];
    has_event = true;
  }
  if (!has_event && first_fault != nullptr) ledger_.dropped[first_fault].add(key(chunk, row));
}

void TableReader::spool(const DuckChunk& chunk, int64_t row, size_t b) {
  const BlockColumns& columns = columns_[b];
  const int64_t subject_id = chunk.integer(0, row);
  const int32_t code = spool_.code(chunk.text(columns.code, row));
  const bool has_number = columns.number != kNone && chunk.is_valid(columns.number, row);
  const bool has_text = columns.text != kNone && chunk.is_valid(columns.text, row);
  record_.clear();
  record_.put(subject_id);
  record_.put(columns.time == kNone ? kNoTime : chunk.integer(columns.time, row));
  record_.put(static_cast<uint32_t>(code));
  record_.put(static_cast<uint16_t>(first_block_ + static_cast<int32_t>(b)));
  record_.put(static_cast<uint8_t>((has_number ? kHasNumber : 0) | (has_text ? kHasText : 0)));
  if (has_number) record_.put(chunk.real32(columns.number, row));
  if (has_text) record_.put_text(chunk.text(columns.text, row));
  size_t column = columns.first_extra;
  for (const PlanColumn& extra : table_.blocks[b].extras) {
    put_extra(chunk, row, column++, extra.type);
  }
  if (columns.components != kNone && chunk.is_valid(columns.components, row)) {
    spool_.add_components(first_block_ + static_cast<int32_t>(b), code,
                          chunk.text(columns.components, row));
  }
  spool_.add(shard_of(subject_id, num_shards_), record_.bytes());
}

void TableReader::put_extra(const DuckChunk& chunk, int64_t row, size_t column, ValueType type) {
  const bool is_there = chunk.is_valid(column, row);
  record_.put(static_cast<uint8_t>(is_there));
  if (!is_there) return;
  switch (type) {
    case ValueType::integer:
    case ValueType::time:
      record_.put(chunk.integer(column, row));
      break;
    case ValueType::real:
      record_.put(chunk.real(column, row));
      break;
    case ValueType::boolean:
      record_.put(static_cast<uint8_t>(chunk.boolean(column, row)));
      break;
    case ValueType::text:
      record_.put_text(chunk.text(column, row));
      break;
  }
}

}  // namespace

int64_t shard_of(int64_t subject_id, int64_t num_shards) {
  // The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
  auto x = static_cast<uint64_t>(subject_id) + 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return static_cast<int64_t>((x ^ (x >> 31)) % static_cast<uint64_t>(num_shards));
}

TableLedger read_table(DuckDb& db, const TablePlan& table, int32_t first_block, int64_t num_shards,
                       size_t buffer_bytes, const std::string& path) {
  TableReader reader(table, first_block, num_shards, buffer_bytes, path);
  Progress progress(table.name, 0, "rows");
  try {
    db.stream(select_of(table), [&](const DuckChunk& chunk) {
      reader.add(chunk);
      progress.advance(chunk.num_rows());
    });
  } catch (const DataError& error) {
    throw error.within({.path = table.name});
  }
  return reader.finish();
}

}  // namespace sequela
