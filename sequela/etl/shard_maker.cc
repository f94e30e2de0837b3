#include "sequela/etl/shard_maker.h"

#include <algorithm>
#include <map>

#include "sequela/core/error.h"
#include "sequela/core/sha256.h"
#include "sequela/core/time.h"
#include "sequela/etl/shard_table.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/check_dataset.h"

namespace sequela {
namespace {

constexpr size_t kRowsPerGroup = size_t{1} << 17;
const char* const kBirth = "MEDS_BIRTH";
const char* const kDeath = "MEDS_DEATH";

std::string subject_key(int64_t subject_id) {
  return str("subject ", subject_id);
}

}  // namespace

// A record without its size.
struct ShardMaker::Row {
  int64_t subject_id, time;
  uint32_t code;
  uint16_t block;
  uint16_t spool;
  std::string_view rest;  // from the bits on
};

int64_t shift_of(const std::string& key, int64_t subject_id) {
  const std::string text = str(key, "/", subject_id);
  const Digest digest = sha256(text.data(), text.size());
  const int64_t weeks = 1 + ((digest[0] << 8 | digest[1]) % 52);
  return -weeks * 7 * kMicrosPerDay;
}

ShardMaker::ShardMaker(const EtlPlan& plan, const std::vector<std::unique_ptr<SpoolFile>>& spools,
                       const ShardMakerOptions& options)
    : plan_(plan), spools_(spools), options_(options) {
  std::map<std::string, ValueType> types;
  for (const TablePlan& table : plan.tables) {
    for (const PlannedEvent& block : table.blocks) {
      blocks_.push_back(&block);
      for (const PlanColumn& extra : block.extras) types.emplace(extra.name, extra.type);
    }
  }
  for (const auto& [name, type] : types) extras_.push_back({name, type, ""});
  for (const PlannedEvent* block : blocks_) {
    std::vector<size_t>& of_block = extra_of_.emplace_back();
    for (const PlanColumn& extra : block->extras) {
      of_block.push_back(std::distance(types.begin(), types.find(extra.name)));
      SEQUELA_CHECK(types.at(extra.name) == extra.type);
    }
  }
}

int64_t ShardMaker::num_bytes(int64_t shard) const {
  int64_t sum = 0;
  for (const auto& spool : spools_) sum += spool->num_bytes(shard);
  // The spooled records lie in the page cache; a record of 30 bytes is a row and a place in a list.
  return sum * 3 + (int64_t{48} << 20);
}

std::string_view ShardMaker::code(const Row& row) const {
  return spools_[row.spool]->codes()[row.code];
}

bool ShardMaker::is_before(const Row& a, const Row& b) const {
  if (a.subject_id != b.subject_id) return a.subject_id < b.subject_id;
  if (a.time != b.time) return a.time < b.time;
  if (a.block != b.block) return a.block < b.block;
  if (a.code != b.code) return code(a) < code(b);
  return a.rest < b.rest;
}

std::vector<ShardMaker::Row> ShardMaker::read(int64_t shard) const {
  std::vector<Row> rows;
  for (size_t s = 0; s < spools_.size(); ++s) {
    for (const std::string_view record : spools_[s]->records(shard)) {
      RecordReader reader(record);
      Row row{};
      row.subject_id = reader.take<int64_t>();
      row.time = reader.take<int64_t>();
      row.code = reader.take<uint32_t>();
      row.block = reader.take<uint16_t>();
      row.spool = static_cast<uint16_t>(s);
      row.rest = reader.left();
      rows.push_back(row);
    }
  }
  std::sort(rows.begin(), rows.end(),
            [this](const Row& a, const Row& b) { return is_before(a, b); });
  return rows;
}

void ShardMaker::check_subject(const Row* begin, const Row* end, ShardLedger* ledger) const {
  const std::string key = subject_key(begin->subject_id);
  int64_t birth = kNoTime, death = kNoTime, visits_end = kNoTime;
  int64_t num_births = 0;
  for (const Row* row = begin; row != end; ++row) {
    const std::string_view name = code(*row);
    if (name == kBirth && num_births++ == 0) birth = row->time;
    if (name == kDeath && death == kNoTime) death = row->time;
  }
  if (num_births == 0) ledger->found["subjects without birth"].add(key);
  if (num_births > 1) ledger->found["subjects with several births"].add(key);
  int64_t before_birth = 0, after_death = 0, too_early = 0, too_late = 0, overlaps = 0;
  for (const Row* row = begin; row != end; ++row) {
    if (row->time == kNoTime) continue;
    before_birth += birth != kNoTime && row->time < birth;
    after_death += death != kNoTime && row->time > death + kMicrosPerDay;
    too_early += row->time < kStartOf1900Us;
    too_late += row->time >= kStartOf2300Us;
    if (!blocks_[row->block]->is_visit) continue;
    overlaps += visits_end != kNoTime && row->time < visits_end;
    visits_end = std::max(visits_end, end_of_visit(row->rest, *blocks_[row->block], row->time));
  }
  const auto note = [&](const char* what, int64_t count) {
    if (count == 0) return;
    Tally& tally = ledger->found[what];
    tally.add(key);
    tally.count += count - 1;
  };
  note("events before birth", before_birth);
  note("events more than a day after death", after_death);
  note("events before 1900", too_early);
  note("events after 2299", too_late);
  note("visits that begin before the one before has ended", overlaps);
}

void ShardMaker::check(const std::vector<Row>& rows, ShardLedger* ledger) const {
  for (size_t first = 0; first < rows.size();) {
    size_t end = first + 1;
    while (end < rows.size() && rows[end].subject_id == rows[first].subject_id) ++end;
    ++ledger->num_subjects;
    check_subject(&rows[first], &rows[first] + (end - first), ledger);
    first = end;
  }
}

void ShardMaker::write(const std::vector<Row>& rows, const std::string& path,
                       ShardLedger* ledger) const {
  ParquetWriter writer(path);
  ShardTable table(plan_.block_column, extras_);
  int64_t shift = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const bool is_new = i == 0 || rows[i - 1].subject_id != row.subject_id;
    if (is_new && !options_.shift_key.empty()) shift = shift_of(options_.shift_key, row.subject_id);
    const int64_t time = row.time == kNoTime ? kNoTime : row.time + shift;
    table.add({row.subject_id, time, code(row), blocks_[row.block]->label}, *blocks_[row.block],
              extra_of_[row.block], row.rest, shift, options_.drops_text);
    if (options_.normalizes_units) table.normalize_unit(subject_key(row.subject_id), ledger);
    if (table.num_rows() == kRowsPerGroup) writer.write(table.take());
  }
  if (table.num_rows() > 0) writer.write(table.take());
  writer.finish();
}

ShardLedger ShardMaker::make(int64_t shard, const std::string& path,
                             std::vector<int64_t>* subjects) const {
  ShardLedger ledger;
  std::vector<Row> rows = read(shard);
  const auto is_same = [this](const Row& a, const Row& b) {
    return a.subject_id == b.subject_id && a.time == b.time && a.block == b.block &&
           a.rest == b.rest && code(a) == code(b);
  };
  for (size_t i = 1; i < rows.size(); ++i) {
    if (is_same(rows[i - 1], rows[i])) {
      ledger.found["events that repeat another in every column"].add(
          subject_key(rows[i].subject_id));
    }
  }
  if (plan_.drops_duplicates)
    rows.erase(std::unique(rows.begin(), rows.end(), is_same), rows.end());
  ledger.num_events = static_cast<int64_t>(rows.size());
  check(rows, &ledger);
  if (!rows.empty()) write(rows, path, &ledger);
  for (const Row& row : rows) {
    if (subjects->empty() || subjects->back() != row.subject_id)
      subjects->push_back(row.subject_id);
  }
  for (const auto& spool : spools_) spool->release(shard);
  return ledger;
}

}  // namespace sequela
