#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sequela/meds/dataset.h"
#include "sequela/meds/ingest.h"
#include "sequela/meds/store/shard_builder.h"

namespace sequela {

// A part of the input that becomes one shard of the store.
struct ShardSource {
  std::string path;  // of the input, for messages
  std::string
      identity;  // unlike that of other shards; changes when the input of this shard does ...
  bool is_reusable = true;  // ... if this is true; false = a change cannot be seen
  int64_t num_events = 0;
  int64_t memory_bytes = 0;  // private memory that decoding will take, roughly
  // Appends all its events. Errors name the path.
  std::function<void(ShardBuilder* builder)> decode;
};

// What will be read, cut into shards by the data alone.
struct IngestPlan {
  std::vector<PropertyColumn> properties;  // numeric_value, text_value first, then by name
  std::vector<ShardSource> shards;
  int64_t num_events = 0;
  bool has_local_times = false;  // some times are those of their zone's clock
};

// Reads the headers of all Parquet shards, checks their column types.
IngestPlan plan_parquet(const Dataset& dataset, const IngestOptions& options);

// Reads the tables of a meds_reader database.
IngestPlan plan_reader_database(const Dataset& dataset, const IngestOptions& options);

// A column of the source that may become a property.
struct PropertyCandidate {
  std::string name;
  bool is_text = false;
};

// Which of the source's columns become properties, by IngestOptions::properties. A column that is
// text in any shard is text. A column asked for by name that no shard has is a DataError, but for
// the two default ones, which are optional in MEDS.
std::vector<PropertyColumn> choose_properties(const std::vector<PropertyCandidate>& candidates,
                                              const IngestOptions& options);

}  // namespace sequela
