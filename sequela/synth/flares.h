#pragma once

#include <array>
#include <cstdint>

#include "sequela/synth/course.h"

namespace sequela {

struct FlareVisit {
  int64_t time_us = 0;
  bool is_acute = false;  // an emergency or an admission
};

// Of a flare within 30 days of the last of three visits: likelier where the gap before it is
// shorter than the one before that, and where of the two earlier visits the later one is acute.
// Neither changes how many visits of a kind there were.
double flare_probability(const std::array<FlareVisit, 3>& visits);

// Adds flares (LOCAL/flare) to a finished record, and labels of SynthTask::flare_30d at the visits
// that may cause one: from the third on, at least 30 days apart. Nothing else depends on flares.
void add_flares(const SynthVocabulary& vocabulary, uint64_t key, SynthRecord& record);

}  // namespace sequela
