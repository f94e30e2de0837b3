#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sequela/etl/ledger.h"
#include "sequela/etl/plan.h"
#include "sequela/etl/spool.h"

namespace sequela {

struct ShardMakerOptions {
  std::string shift_key;          // shift every subject's times by whole weeks; empty = do not
  bool normalizes_units = false;  // the column "unit" to UCUM (etl/units.h)
  bool drops_text = false;        // no text_value
};

// Makes MEDS shards of spooled tables. Safe from several threads, each with shards of its own.
class ShardMaker {
 public:
  // One spool for each table of the plan, in its order. Refers to all of them.
  ShardMaker(const EtlPlan& plan, const std::vector<std::unique_ptr<SpoolFile>>& spools,
             const ShardMakerOptions& options);

  // Writes a shard as Parquet: subject_id, time, code, numeric_value float32, text_value, the
  // plan's block column, then every extra column that a block has, by name. Rows ascend by subject
  // and time, static ones first; at one time they stand in the order of the plan's blocks, then of
  // codes. The bytes depend on the events alone. Nothing is written if the shard has no event.
  // `subjects` gets the ids, ascending.
  ShardLedger make(int64_t shard, const std::string& path, std::vector<int64_t>* subjects) const;

  // A bound for what make() holds in memory.
  int64_t num_bytes(int64_t shard) const;

  // Extra columns of the output, by name.
  const std::vector<PlanColumn>& extras() const { return extras_; }

 private:
  struct Row;
  std::vector<Row> read(int64_t shard) const;
  std::string_view code(const Row& row) const;
  bool is_before(const Row& a, const Row& b) const;
  void check(const std::vector<Row>& rows, ShardLedger* ledger) const;
  void check_subject(const Row* begin, const Row* end, ShardLedger* ledger) const;
  void write(const std::vector<Row>& rows, const std::string& path, ShardLedger* ledger) const;

  const EtlPlan& plan_;
  const std::vector<std::unique_ptr<SpoolFile>>& spools_;
  const ShardMakerOptions options_;
  std::vector<const PlannedEvent*> blocks_;    // by number
  std::vector<PlanColumn> extras_;             // of the output, by name
  std::vector<std::vector<size_t>> extra_of_;  // [block][its extra] -> index into extras_
};

// How far a subject's times move: whole weeks, one to fifty-two back, by SHA-256 of the key and
// the subject. Microseconds.
int64_t shift_of(const std::string& key, int64_t subject_id);

}  // namespace sequela
