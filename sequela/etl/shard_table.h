#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/etl/ledger.h"
#include "sequela/etl/plan.h"
#include "sequela/io/parquet.h"

namespace sequela {

// The rows of a row group of a MEDS shard, as they are taken out of spooled records.
class ShardTable {
 public:
  ShardTable(const std::string& block_column, const std::vector<PlanColumn>& extras);

  struct Event {
    int64_t subject_id, time;  // kNoTime = static
    std::string_view code, block;
  };
  // `rest` is the record from its bits on (spool.h), `extra_of` the place of each of the block's
  // extras among all. Times among the extras move by `shift_us`.
  void add(const Event& event, const PlannedEvent& block, const std::vector<size_t>& extra_of,
           std::string_view rest, int64_t shift_us, bool drops_text);
  // Of the row that was added last: its unit to UCUM; one that is not known stays and is counted.
  void normalize_unit(const std::string& key, ShardLedger* ledger);

  size_t num_rows() const { return num_rows_; }
  // The rows, and none are left.
  Table take();

 private:
  void grow();

  const std::vector<PlanColumn> extras_;
  const Table empty_;
  Table table_;
  size_t num_rows_ = 0;
};

// When a visit ends: its extra "end", or else `time`.
int64_t end_of_visit(std::string_view rest, const PlannedEvent& block, int64_t time);

}  // namespace sequela
