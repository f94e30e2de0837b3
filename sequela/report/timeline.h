#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/report/page.h"

namespace sequela {

// One patient's record as a page may show it: codes and ages, no value, no text, no date.
struct PatientTimeline {
  struct Event {
    double age_years = 0;
    std::string vocabulary, code;
  };
  struct Risk {
    double age_years = 0;  // right after an event
    std::string task;      // a code
    double risk = 0;       // that it happens within the horizon
  };
  int64_t subject_id = 0;
  double horizon_days = 365;
  std::vector<Event> events;  // in order
  std::vector<Risk> risks;    // by task, in order
};

// Adds its section: the risks over time, and the events below.
void add_timeline(const PatientTimeline& timeline, Page& page);

}  // namespace sequela
