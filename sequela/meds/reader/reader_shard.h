#pragma once

#include <memory>
#include <vector>

#include "sequela/meds/reader/reader_database.h"
#include "sequela/meds/store/shard_builder.h"

namespace sequela {

// The columns of a database that a store needs, opened once and shared by all threads.
struct ReaderColumns {
  // Throws DataError if a column is missing, has another type than MEDS asks for, or is damaged.
  ReaderColumns(const ReaderDatabase& database, const std::vector<PropertyColumn>& properties);

  ReaderColumn time;
  ReaderColumn code;
  std::vector<ReaderColumn> properties;
};

// Which subjects of a database make one shard.
struct ReaderRange {
  int64_t first_position = 0;
  int64_t num_subjects = 0;
  int64_t num_events = 0;
};

// Reads the subjects of a range into a shard of the store. Throws DataError with path and subject.
void read_database_shard(const ReaderDatabase& database, const ReaderColumns& columns,
                         const std::vector<PropertyColumn>& properties, const ReaderRange& range,
                         ShardBuilder* builder);

}  // namespace sequela
