#include "sequela/synth/flares.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sequela/core/time.h"

namespace sequela {
namespace {

constexpr double kHorizonDays = 30;
constexpr double kIntercept = -1, kAcceleration = 1.2, kOrder = 1.5;

double days_between(const FlareVisit& earlier, const FlareVisit& later) {
  return static_cast<double>(later.time_us - earlier.time_us) / static_cast<double>(kMicrosPerDay);
}

std::vector<FlareVisit> visits_of(const SynthVocabulary& vocabulary, const SynthRecord& record) {
  std::vector<FlareVisit> visits;
  for (const SynthEvent& event : record.events) {
    const bool is_acute = event.code == vocabulary.emergency || event.code == vocabulary.inpatient;
    if (!is_acute && event.code != vocabulary.outpatient) continue;
    if (!visits.empty() && visits.back().time_us == event.time_us) {
      visits.back().is_acute |= is_acute;
    } else {
      visits.push_back({event.time_us, is_acute});
    }
  }
  return visits;
}

}  // namespace

double flare_probability(const std::array<FlareVisit, 3>& visits) {
  const double before = std::max(0.5, days_between(visits[0], visits[1]));
  const double last = std::max(0.5, days_between(visits[1], visits[2]));
  const double acceleration = std::clamp(std::log(before / last), -2.0, 2.0);
  const int order = visits[1].is_acute - visits[0].is_acute;
  return 1 / (1 + std::exp(-(kIntercept + kAcceleration * acceleration + kOrder * order)));
}

void add_flares(const SynthVocabulary& vocabulary, uint64_t key, SynthRecord& record) {
  const Person& person = record.person;
  const int64_t end_us = to_time_us(person.is_dead() ? person.death : person.end);
  const auto horizon_us = static_cast<int64_t>(kHorizonDays * static_cast<double>(kMicrosPerDay));
  const std::vector<FlareVisit> visits = visits_of(vocabulary, record);
  Random random(key);
  for (size_t i = 2; i < visits.size();) {
    const int64_t now_us = visits[i].time_us;
    if (now_us + horizon_us > end_us) break;
    const double probability = flare_probability({visits[i - 2], visits[i - 1], visits[i]});
    const bool flares = random.uniform() < probability;
    const double days = 1 + (kHorizonDays - 1) * random.uniform();
    if (flares) {
      SynthEvent event;
      event.time_us = now_us + static_cast<int64_t>(days * static_cast<double>(kMicrosPerDay));
      event.code = vocabulary.flare;
      record.events.push_back(event);
    }
    record.labels.push_back(
        {person.id, now_us, SynthTask::flare_30d, flares, static_cast<float>(probability)});
    while (i < visits.size() && visits[i].time_us < now_us + horizon_us) ++i;
  }
}

}  // namespace sequela
