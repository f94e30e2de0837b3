#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "sequela/io/time_column.h"
#include "sequela/pipeline/live/live_scorer.h"

namespace sequela {

// What to do about a line or row that is no event, or may not follow those before it.
enum class BadEvents { fail, skip };
BadEvents to_bad_events(const std::string& text);  // fail or skip; ConfigError

// All options of `sequela follow`.
struct FollowOptions {
  // The bundle, its ontology, the tasks. Of its memory and spill_folder nothing counts: they follow
  // from what stands below.
  LiveOptions live;
  std::string meds;             // a MEDS data set that grows; empty = JSON lines from `input`
  int input = 0;                // descriptor of the lines
  bool is_once = false;         // with meds: ends when all shards that are there have been read
  std::string states;           // folder from which states are taken up and to which they go
  double save_seconds = 600;    // from one save to the next; 0 = at the end alone
  bool with_embedding = false;  // in the answers; without tasks they always have it
  BadEvents bad_events = BadEvents::fail;
  ZoneRule zone_rule = ZoneRule::utc;       // of times that have a zone
  int64_t memory_bytes = int64_t{1} << 30;  // the process stays under it

  void validate() const;  // ConfigError
};

struct FollowReport {
  int64_t num_events = 0;    // answered
  int64_t num_patients = 0;  // of these events, who have a state
  int64_t num_waiting = 0;   // patients whose birth did not come
  int64_t num_bad = 0;       // events that were skipped
  double seconds = 0;
};

// Reads events (pipeline/live/event_line.h, or the shards of a MEDS data set) and writes an answer,
// a JSON line, for each, in order, as soon as no further event is there to be read. Ends at the end
// of the input or, in order, when a stop is asked for (core/interrupt.h).
//
// A patient is admitted by the first MEDS_BIRTH with a time. Events before it in the input get the
// outcome "waits_for_birth", and count as soon as it comes.
//
// Errors: those of LiveScorer; DataError for a bad event, which names its line or row, and with
// BadEvents::skip is a warning instead; FileError if the answers cannot be written. What was
// answered before an error is kept in `states`, too.
FollowReport follow(const FollowOptions& options, std::ostream& out);

}  // namespace sequela
