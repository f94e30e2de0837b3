#pragma once

#include <cstdint>
#include <string>

#include "sequela/etl/duckdb.h"
#include "sequela/etl/ledger.h"
#include "sequela/etl/plan.h"

namespace sequela {

// The shard of a subject: the same on every machine, whatever other subjects there are.
int64_t shard_of(int64_t subject_id, int64_t num_shards);

// Reads a table's rows and spools the events that they give; `path` appears when all is read.
// `first_block` is the number of the table's first block in the whole plan. Throws as DuckDb does,
// its faults with the table's name.
TableLedger read_table(DuckDb& db, const TablePlan& table, int32_t first_block, int64_t num_shards,
                       size_t buffer_bytes, const std::string& path);

}  // namespace sequela
