#pragma once

#include <string>
#include <vector>

#include "sequela/io/parquet.h"
#include "sequela/io/time_column.h"
#include "sequela/meds/store/shard_builder.h"

namespace sequela {

// Checks that a Parquet file has MEDS's columns with the types that docs/formats.md asks for:
// subject_id (integer), time (timestamp or date), code (string), and, if there, numeric_value (a
// number) and text_value (string). Throws DataError with path, column, the type found and the type
// wanted.
void check_meds_columns(const ParquetReader& reader);

// Reads one Parquet shard of a MEDS data set into a shard of the store, one row group in memory at
// a time. Every row becomes one event. A null subject_id or code, a bad code or disorder is a
// DataError with path, row group, row, column and subject.
void read_parquet_shard(const std::string& path, const std::vector<PropertyColumn>& properties,
                        ZoneRule zone_rule, ShardBuilder* builder);

}  // namespace sequela
