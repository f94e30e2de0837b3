#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/etl/ledger.h"
#include "sequela/etl/metadata.h"
#include "sequela/etl/plan.h"
#include "sequela/etl/shard_maker.h"
#include "sequela/run/fingerprints.h"

namespace sequela {

struct ConvertOptions {
  std::string out;            // the MEDS folder
  std::string folder;         // of the raw tables: what of paths is not a part of the SQL
  int64_t num_shards = 0;     // 0 = by the size of the files
  bool allows_drops = false;  // also where a table loses more than kMaxDropped
  ShardMakerOptions shards;
  SplitShares splits;
  int num_threads = 1;
  int64_t memory_bytes = int64_t{1} << 30;
};

struct ConvertReport {
  std::vector<TableLedger> tables;
  ShardLedger shards;
  std::vector<std::string> missing;
  std::vector<std::string> files;  // that were written, below options.out
  int64_t num_codes = 0;
  int64_t num_tables_kept = 0, num_shards_kept = 0;  // made by an earlier run
};

// Makes a MEDS data set of a planned source, in options.out: data/<shard>.parquet,
// metadata/{codes.parquet, dataset.json, subject_splits.parquet}, etl_report.json. Working files
// lie in <out>/.etl until the end: each table's events, spooled by shard, then a note for each
// shard. A run that was stopped goes on there: what is whole and of unchanged files, SQL and
// options is kept. The same bytes come out for any number of threads.
//
// Throws DataError for a table that loses more than it may, and as DuckDb does.
ConvertReport convert(DuckDb& db, const EtlPlan& plan, const ConvertOptions& options,
                      Fingerprints& fingerprints);

}  // namespace sequela
