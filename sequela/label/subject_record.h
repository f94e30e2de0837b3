#pragma once

#include <cstdint>
#include <vector>

namespace sequela {

// An event that belongs to some predicate.
struct MatchedEvent {
  int64_t time_us = 0;
  int32_t code = 0;      // CodeMatcher's number
  float value = 0;       // a null float (meds/event_store.h) if it has none
  uint32_t columns = 0;  // bit i: it satisfies the i-th rule of ColumnRules
};

// What the labels need of one subject's events.
struct SubjectRecord {
  int64_t id = 0;
  int64_t num_events = 0;
  std::vector<int64_t> times_us;      // of all events that have one, ascending and distinct
  std::vector<MatchedEvent> events;   // with a time, in order of it
  std::vector<MatchedEvent> statics;  // without

  void clear();
  // Notes the time of an event; events may come in any order until order() is called.
  void add_time(int64_t time_us) {
    if (!times_us.empty() && time_us <= times_us.back()) {
      if (time_us == times_us.back()) return;
      is_ordered_ = false;
    }
    times_us.push_back(time_us);
  }
  // Brings times and events in order; events of one time stay as they came.
  void order();

 private:
  bool is_ordered_ = true;
};

}  // namespace sequela
