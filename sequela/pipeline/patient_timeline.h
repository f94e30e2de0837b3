#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/report/timeline.h"

namespace sequela {

struct TimelineOptions {
  int64_t subject_id = 0;
  std::string meds;                // MEDS data set in Parquet
  std::string model;               // a bundle with a MOTOR head
  std::vector<std::string> tasks;  // codes of the head; empty = the five likeliest at the end
  double horizon_days = 365;
  int num_threads = 1;
  int64_t memory_bytes = int64_t{1} << 30;
};

// Scores a patient's events one by one with the model's own hazards (pipeline/live). ConfigError
// for a patient who is not in the data, and as LiveScorer says.
PatientTimeline patient_timeline(const TimelineOptions& options);

}  // namespace sequela
