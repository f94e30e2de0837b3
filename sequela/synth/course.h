#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sequela/synth/person.h"
#include "sequela/synth/record.h"

namespace sequela {

enum class SynthTask : uint8_t {
  in_hospital_mortality,
  readmission_30d,
  chronic_onset_1y,
  flare_30d,  // only with flares
  count
};
const char* task_name(SynthTask task);
// A data set has the first so many of them.
constexpr int num_synth_tasks(Flares flares) {
  return static_cast<int>(SynthTask::count) - (flares == Flares::no ? 1 : 0);
}

// One labelled prediction point and the probability that the generator gave it.
//
//   in_hospital_mortality  24 hours after each admission (every stay is longer): dies in this stay
//   readmission_30d        at each discharge alive: another admission within 30 days. Left out if
//   the
//                          record is not followed that long
//   chronic_onset_1y       on each anniversary of the record's start, at age 45 or more: heart
//   failure
//                          breaks out within 365 days, if it has not yet. Left out if not followed
//                          so long
//   flare_30d              at visits that may cause a flare (flares.h): one within 30 days. Left
//                          out if not followed so long
//
// Deaths count as "no" in the second and third. The probability holds the latent state at the
// prediction time fixed: what other diseases break out in the year is not known to it.
struct TaskLabel {
  int64_t subject_id = 0;
  int64_t prediction_time_us = 0;
  SynthTask task = SynthTask::count;
  bool value = false;
  float probability = 0;
};

// A whole life on record.
struct SynthRecord {
  Person person;
  std::vector<SynthEvent> events;  // by time, static ones first
  std::vector<TaskLabel> labels;   // by task, then time
};

// Generates subject `id` from (seed, id) alone. Reuses the record's memory.
void generate_subject(const SynthVocabulary& vocabulary, uint64_t seed, int64_t id,
                      SynthRecord& record);

}  // namespace sequela
