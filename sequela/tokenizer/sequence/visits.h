#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sequela/meds/event_store.h"

namespace sequela {

// Patients -> visits -> codes, flat: patient p has the visits visit_offsets[p] ..
// visit_offsets[p + 1], visit v the codes code_offsets[v] .. code_offsets[v + 1].
struct PatientVisits {
  std::vector<int64_t> subject_ids;          // [P]
  std::vector<int64_t> visit_offsets = {0};  // [P + 1]
  std::vector<int64_t> visit_times_us;       // [V] start; kNoTime = unknown
  std::vector<int64_t> visit_end_times_us;   // [V] last event
  std::vector<int64_t> code_offsets = {0};   // [V + 1]
  std::vector<int32_t> codes;                // [T] ids; the maker says of what

  int64_t num_patients() const { return static_cast<int64_t>(subject_ids.size()); }
  int64_t num_visits() const { return static_cast<int64_t>(visit_times_us.size()); }
  int64_t num_codes() const { return static_cast<int64_t>(codes.size()); }
  std::span<const int32_t> codes_of(int64_t visit) const {
    return {codes.data() + code_offsets[visit],
            static_cast<size_t>(code_offsets[visit + 1] - code_offsets[visit])};
  }
  void append(const PatientVisits& other);
};

enum class VisitRule {
  hybrid,        // by encounter id where an event has one, else by calendar day
  encounter,     // by encounter id; events without one are left out
  day,           // by calendar day
  hours_window,  // an event more than window_hours after the visit's start begins a new one
};

// "hybrid", "encounter", "day" or "hours"; ConfigError.
VisitRule parse_visit_rule(const std::string& name);
const char* name_of(VisitRule rule);

struct VisitOptions {
  VisitRule rule = VisitRule::hybrid;
  // Property column of the encounter id; empty = the first there is of visit_id, encounter_id,
  // hadm_id, visit_occurrence_id.
  std::string encounter_column;
  double window_hours = 24;
  int64_t max_visits = 0;     // most recent ones kept; 0 = all
  int64_t max_codes = 0;      // first ones of a visit kept; 0 = all
  bool drop_repeats = false;  // a code counts once in a visit
  bool group_by_type = true;  // codes of one vocabulary (text before the first / or :) together
  std::optional<int64_t> until_us;  // only events up to this time, inclusive
  // Codes that begin so are no part of a visit.
  std::vector<std::string> left_out = {"MEDS_BIRTH", "Gender/",    "GENDER/",   "Race/",
                                       "RACE/",      "Ethnicity/", "ETHNICITY/"};

  void validate() const;  // ConfigError
};

// Columns that hold encounter ids, if the data have them: what visits need of ingest, as texts
// (IngestOptions::text_properties).
std::vector<std::string> encounter_columns(const VisitOptions& options);

struct VisitStats {
  int64_t num_events = 0;                // seen, with a time, not left out by their code
  int64_t num_events_without_time = 0;   // left out
  int64_t num_events_without_visit = 0;  // left out: rule encounter, no encounter id
  int64_t num_visits_dropped = 0;        // beyond max_visits
  int64_t num_codes_cut = 0;             // beyond max_codes

  VisitStats& operator+=(const VisitStats& other);
};

// Groups the events of subjects into visits, ordered by their first event; codes are ids into
// store.codes(), in order of time within their type. One grouper serves one thread; `append` adds
// one subject (also one without visits). ConfigError if the store lacks the encounter column that
// was asked for or, for rule encounter, any.
class VisitGrouper {
 public:
  VisitGrouper(const EventStore& store, VisitOptions options);
  void append(const Subject& subject, PatientVisits* visits);

  // One subject's events by visit, before the limits; both live until the next call. Visits are in
  // order of their first event; events in order of visit, then type (if grouped), then time.
  struct Span {
    int64_t start_us;
    int64_t end_us;  // of the last event
  };
  struct Item {
    int64_t visit;
    int32_t type;
    int32_t code;
    int64_t event;
  };
  void group(const Subject& subject);
  std::span<const Span> spans() const { return spans_; }
  std::span<const Item> items() const { return items_; }
  const VisitStats& stats() const { return stats_; }
  // Type of each code of the store: index into type_names(), ascending by name.
  const std::vector<int32_t>& type_of_code() const { return type_of_code_; }
  const std::vector<std::string>& type_names() const { return type_names_; }

 private:
  bool find_encounter(const Subject& subject, int64_t event, int64_t* encounter) const;
  int64_t visit_of(const Subject& subject, int64_t event);
  void write(PatientVisits* visits);

  const EventStore& store_;
  VisitOptions options_;
  int encounter_property_ = -1;
  std::vector<int32_t> type_of_code_;
  std::vector<uint8_t> is_left_out_;  // by code
  std::vector<std::string> type_names_;
  VisitStats stats_;

  // The present subject's events and visits.
  std::vector<Item> items_;
  std::vector<Span> spans_;
  std::unordered_map<uint64_t, int64_t> visits_;  // by encounter or day
  uint64_t last_key_ = 0;
  int64_t last_visit_ = -1;
};

// All subjects of a store, on `num_threads` threads (0 = all); the result does not depend on them.
PatientVisits build_visits(const EventStore& store, const VisitOptions& options, int num_threads,
                           VisitStats* stats);

}  // namespace sequela
