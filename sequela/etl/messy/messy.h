#pragma once

#include <string>

#include "sequela/etl/duckdb.h"
#include "sequela/etl/messy/messy_file.h"
#include "sequela/etl/plan.h"

namespace sequela {

// How a column of CSV gets a type.
enum class ColumnTyping {
  inferred,  // as polars does over the whole file: integer, float, boolean or text. One more pass.
  text,      // text, whatever it looks like: "00123" keeps its zeros
};

// Plans a MESSY file's tables in a folder. Those that are missing are noted. Throws ConfigError
// with the file's line for a column that a table lacks, with the nearest names.
EtlPlan plan_messy(DuckDb& db, const MessyFile& file, const std::string& folder,
                   ColumnTyping typing);

}  // namespace sequela
