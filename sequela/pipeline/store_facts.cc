#include "sequela/pipeline/store_facts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/time.h"
#include "sequela/ontology/build_ontology.h"

namespace sequela {
namespace {

constexpr double kQuantiles[] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};
constexpr const char* kQuantileNames[] = {"0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"};

// How many subjects have so many events: bins that double, from 1 on.
Json events_per_subject(std::vector<int64_t> counts) {
  if (counts.empty()) return {};
  std::ranges::sort(counts);
  Json quantiles = Json::object();
  for (size_t i = 0; i < std::size(kQuantiles); ++i) {
    const auto place = std::llround(kQuantiles[i] * static_cast<double>(counts.size() - 1));
    quantiles[kQuantileNames[i]] = counts[place];
  }
  Json histogram = Json::array();
  for (int64_t from = 1; from <= counts.back(); from *= 2) {
    const auto first = std::ranges::lower_bound(counts, from);
    const auto last = std::ranges::lower_bound(counts, 2 * from);
    histogram.push_back({{"from", from}, {"to", 2 * from - 1}, {"num_subjects", last - first}});
  }
  return {{"quantiles", quantiles}, {"histogram", histogram}};
}

Json vocabularies_of(const EventStore& store) {
  struct Row {
    std::string name;
    int64_t num_codes = 0, num_events = 0;
  };
  std::map<std::string, Row> rows;
  for (size_t code = 0; code < store.codes().size(); ++code) {
    Row& row = rows[std::string(shown_vocabulary_of(store.codes()[code]))];
    ++row.num_codes;
    row.num_events += store.counts()[code];
  }
  std::vector<Row> sorted;
  for (auto& [name, row] : rows) {
    row.name = name;
    sorted.push_back(row);
  }
  std::ranges::stable_sort(sorted, std::greater{}, &Row::num_events);
  Json json = Json::array();
  for (const Row& row : sorted) {
    json.push_back(
        {{"vocabulary", row.name}, {"num_codes", row.num_codes}, {"num_events", row.num_events}});
  }
  return json;
}

struct EventFacts {
  int64_t num_static = 0, num_valued = 0;
  int64_t first_us = kNoTime, last_us = kNoTime;
  std::vector<int64_t> counts;  // by subject
};

EventFacts count_events(const EventStore& store) {
  EventFacts facts;
  for (int64_t index = 0; index < store.num_subjects(); ++index) {
    const Subject subject = store.subject(index);
    facts.counts.push_back(subject.num_events);
    for (int64_t i = 0; i < subject.num_events; ++i) {
      if (subject.has_value(i)) ++facts.num_valued;
      const int64_t time_us = subject.time_us(i);
      if (time_us == kNoTime) {
        ++facts.num_static;
        continue;
      }
      if (time_us == subject.birth_us)
        continue;  // it tells a birth, not since when records are kept
      if (facts.first_us == kNoTime || time_us < facts.first_us) facts.first_us = time_us;
      facts.last_us = std::max(facts.last_us, time_us);
    }
  }
  return facts;
}

Json date_json(int64_t time_us) {
  if (time_us == kNoTime) return {};
  return to_text(time_us).substr(0, 10);
}

}  // namespace

Json store_facts(const EventStore& store) {
  EventFacts facts = count_events(store);
  return {{"num_subjects", store.num_subjects()},
          {"num_events", store.num_events()},
          {"num_static_events", facts.num_static},
          {"num_valued_events", facts.num_valued},
          {"num_codes", store.codes().size()},
          {"first_time", date_json(facts.first_us)},
          {"last_time", date_json(facts.last_us)},
          {"events_per_subject", events_per_subject(std::move(facts.counts))},
          {"vocabularies", vocabularies_of(store)}};
}

}  // namespace sequela
