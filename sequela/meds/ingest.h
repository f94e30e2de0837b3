#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sequela/io/shared_work.h"
#include "sequela/io/time_column.h"
#include "sequela/meds/event_store.h"

namespace sequela {

struct IngestOptions {
  std::string meds;    // a MEDS data set, or a meds_reader database folder; path or URI
  std::string folder;  // where the store goes
  // Columns kept as properties; {"all"} = every column but subject_id, time and code.
  std::vector<std::string> properties = {"numeric_value", "text_value"};
  // Kept too, as texts whatever their type, where the data have them: ids, which a float32 would
  // round.
  std::vector<std::string> text_properties;
  bool repair =
      false;  // sort rows by subject and time and gather split subjects, instead of failing
  // Of event times that have a zone. A clock that is set back repeats an hour; by `local`, events
  // of one subject are then sorted by what it showed.
  ZoneRule zone_rule = ZoneRule::utc;
  int num_threads = 1;
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;
};

// What was met on the way; part of the coverage report.
struct IngestReport {
  int64_t num_shards = 0;
  int64_t num_shards_reused = 0;  // found finished from an earlier run
  int64_t num_subjects = 0;
  int64_t num_events = 0;
  int64_t num_static_events = 0;  // without a time
  int64_t num_codes = 0;
  int64_t subjects_without_birth = 0;
  int64_t subjects_with_several_births = 0;
  int64_t events_before_birth = 0;
  // Kept as they are; the tokenizer treats NaN as missing and drops infinities.
  int64_t non_finite_values = 0;
  int64_t clipped_times = 0;   // beyond year 9999, brought back to its end
  int64_t rounded_values = 0;  // whole numbers that a float32 does not hold exactly
};

// Decodes a data set into an event store, one shard at a time and shards in parallel. Checks the
// rules of docs/design.md, section 1; the first violation is a DataError with file, row group, row,
// column and subject. Finished shards of an interrupted run with unchanged input are reused. The
// same bytes come out for any number of threads.
//
// Several processes that call it with equal options and a `work` in common fill one folder
// together, each a part of the shards, and return the same report; not from behind a URI, whose
// shards are never taken over from an earlier call: ConfigError.
IngestReport ingest(const IngestOptions& options, const SharedWork& work = {});

}  // namespace sequela
