#include "sequela/tokenizer/sequence/visits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/parallel.h"

namespace sequela {
namespace {

constexpr const char* kEncounterColumns[] = {"visit_id", "encounter_id", "hadm_id",
                                             "visit_occurrence_id"};

constexpr float kMaxExactFloat = 1 << 24;

// Keys of visits: encounters and days must not meet.
enum class KeyKind : uint8_t { encounter, day, window };

std::string_view type_of(std::string_view code) {
  const size_t end = code.find_first_of("/:");
  return end == std::string_view::npos ? std::string_view() : code.substr(0, end);
}

int find_encounters(const EventStore& store, const VisitOptions& options) {
  if (!options.encounter_column.empty()) {
    const int found = store.find_property(options.encounter_column);
    if (found >= 0) return found;
    std::string names;
    for (const Property& property : store.properties()) {
      names += str(names.empty() ? "" : ", ", property.name);
    }
    throw ConfigError("column of visit ids", options.encounter_column,
                      "a column of the data: " + names);
  }
  for (const char* name : kEncounterColumns) {
    const int found = store.find_property(name);
    if (found >= 0) return found;
  }
  if (options.rule == VisitRule::encounter) {
    throw ConfigError(
        "the data have no column with encounter ids (visit_id, encounter_id, hadm_id, "
        "visit_occurrence_id). Fix: name the one that holds them, or group visits by day or hours");
  }
  return -1;
}

}  // namespace

std::vector<std::string> encounter_columns(const VisitOptions& options) {
  if (options.rule != VisitRule::hybrid && options.rule != VisitRule::encounter) return {};
  if (!options.encounter_column.empty()) return {options.encounter_column};
  return {std::begin(kEncounterColumns), std::end(kEncounterColumns)};
}

VisitRule parse_visit_rule(const std::string& name) {
  for (const VisitRule rule :
       {VisitRule::hybrid, VisitRule::encounter, VisitRule::day, VisitRule::hours_window}) {
    if (name == name_of(rule)) return rule;
  }
  throw ConfigError("visits", name, "hybrid, encounter, day or hours");
}

const char* name_of(VisitRule rule) {
  switch (rule) {
    case VisitRule::hybrid:
      return "hybrid";
    case VisitRule::encounter:
      return "encounter";
    case VisitRule::day:
      return "day";
    case VisitRule::hours_window:
      return "hours";
  }
  return "";
}

void VisitOptions::validate() const {
  if (rule == VisitRule::hours_window && !(window_hours > 0)) {
    throw ConfigError("window_hours", str(window_hours), "a positive number of hours");
  }
  if (max_visits < 0) throw ConfigError("max_visits", std::to_string(max_visits), "0 or more");
  if (max_codes < 0) throw ConfigError("max_codes", std::to_string(max_codes), "0 or more");
}

VisitStats& VisitStats::operator+=(const VisitStats& other) {
  num_events += other.num_events;
  num_events_without_time += other.num_events_without_time;
  num_events_without_visit += other.num_events_without_visit;
  num_visits_dropped += other.num_visits_dropped;
  num_codes_cut += other.num_codes_cut;
  return *this;
}

void PatientVisits::append(const PatientVisits& other) {
  const auto join = [](const auto& from, auto* to) {
    to->insert(to->end(), from.begin(), from.end());
  };
  const auto join_offsets = [](const std::vector<int64_t>& from, std::vector<int64_t>* to) {
    const int64_t start = to->back();
    for (size_t i = 1; i < from.size(); ++i) to->push_back(start + from[i]);
  };
  join(other.subject_ids, &subject_ids);
  join_offsets(other.visit_offsets, &visit_offsets);
  join(other.visit_times_us, &visit_times_us);
  join(other.visit_end_times_us, &visit_end_times_us);
  join_offsets(other.code_offsets, &code_offsets);
  join(other.codes, &codes);
}

VisitGrouper::VisitGrouper(const EventStore& store, VisitOptions options)
    : store_(store), options_(std::move(options)) {
  options_.validate();
  if (options_.rule == VisitRule::hybrid || options_.rule == VisitRule::encounter) {
    encounter_property_ = find_encounters(store, options_);
    if (encounter_property_ >= 0) {
      options_.encounter_column = store.properties()[static_cast<size_t>(encounter_property_)].name;
    }
  }
  std::map<std::string_view, int32_t> types;
  for (const std::string& code : store.codes()) types.try_emplace(type_of(code), 0);
  for (auto& [name, number] : types) {
    number = static_cast<int32_t>(type_names_.size());
    type_names_.emplace_back(name);
  }
  for (const std::string& code : store.codes()) {
    type_of_code_.push_back(types.at(type_of(code)));
    is_left_out_.push_back(
        std::any_of(options_.left_out.begin(), options_.left_out.end(),
                    [&](const std::string& start) { return code.starts_with(start); }));
  }
}

// The encounter that an event names; false if it names none.
bool VisitGrouper::find_encounter(const Subject& subject, int64_t event, int64_t* encounter) const {
  if (encounter_property_ < 0) return false;
  const PropertyValues values = subject.properties[static_cast<size_t>(encounter_property_)];
  if (const auto number = values.number(event)) {
    if (std::abs(*number) > kMaxExactFloat) {
      throw ConfigError(
          str("encounter ids of column '", options_.encounter_column,
              "' go beyond 16777216 and were rounded, as a meds_reader database gives "
              "numbers. Fix: give the MEDS data set that it was made from, make the "
              "column text there, or group visits by day or hours."));
    }
    *encounter = static_cast<int64_t>(__builtin_bit_cast(uint32_t, *number));
    return true;
  }
  const int32_t text = values.text(event);
  *encounter = text;
  return text >= 0;
}

// The visit an event belongs to, a new one if it is the first; -1 = none.
int64_t VisitGrouper::visit_of(const Subject& subject, int64_t event) {
  const int64_t time_us = subject.time_us(event);
  int64_t number = 0;
  auto kind = KeyKind::day;
  if (options_.rule == VisitRule::hours_window) {
    const double window_us = options_.window_hours * 3600 * static_cast<double>(kMicrosPerSecond);
    const bool is_within =
        !spans_.empty() && static_cast<double>(time_us - spans_.back().start_us) <= window_us;
    if (is_within) return static_cast<int64_t>(spans_.size()) - 1;
    kind = KeyKind::window;
    number = static_cast<int64_t>(spans_.size());
  } else if (options_.rule != VisitRule::day && find_encounter(subject, event, &number)) {
    kind = KeyKind::encounter;
  } else if (options_.rule == VisitRule::encounter) {
    return -1;
  } else {
    number = day_of(time_us);
  }
  const uint64_t key = static_cast<uint64_t>(number) * 4 + static_cast<uint64_t>(kind);
  if (last_visit_ >= 0 && key == last_key_) return last_visit_;
  const auto [place, is_new] = visits_.try_emplace(key, static_cast<int64_t>(spans_.size()));
  if (is_new) spans_.push_back({time_us, time_us});
  last_key_ = key;
  last_visit_ = place->second;
  return last_visit_;
}

void VisitGrouper::append(const Subject& subject, PatientVisits* visits) {
  group(subject);
  write(visits);
  visits->subject_ids.push_back(subject.id);
  visits->visit_offsets.push_back(visits->num_visits());
}

void VisitGrouper::group(const Subject& subject) {
  items_.clear();
  spans_.clear();
  visits_.clear();
  last_visit_ = -1;
  for (int64_t i = 0; i < subject.num_events; ++i) {
    const int64_t time_us = subject.time_us(i);
    if (time_us == kNoTime) {
      ++stats_.num_events_without_time;
      continue;
    }
    if (options_.until_us && time_us > *options_.until_us) break;
    const int32_t code = subject.code(i);
    if (is_left_out_[static_cast<size_t>(code)] != 0) continue;
    ++stats_.num_events;
    const int64_t visit = visit_of(subject, i);
    if (visit < 0) {
      ++stats_.num_events_without_visit;
      continue;
    }
    spans_[static_cast<size_t>(visit)].end_us = time_us;
    items_.push_back({visit, options_.group_by_type ? type_of_code_[code] : 0, code, i});
  }
  std::stable_sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
    return std::pair(a.visit, a.type) < std::pair(b.visit, b.type);
  });
}

void VisitGrouper::write(PatientVisits* visits) {
  const auto num_visits = static_cast<int64_t>(spans_.size());
  const int64_t num_dropped =
      options_.max_visits > 0 ? std::max<int64_t>(0, num_visits - options_.max_visits) : 0;
  stats_.num_visits_dropped += num_dropped;
  auto item = std::find_if(items_.begin(), items_.end(),
                           [&](const Item& i) { return i.visit >= num_dropped; });
  for (int64_t visit = num_dropped; visit < num_visits; ++visit) {
    const auto first = static_cast<int64_t>(visits->codes.size());
    for (; item != items_.end() && item->visit == visit; ++item) {
      const bool is_repeated =
          options_.drop_repeats && std::find(visits->codes.begin() + first, visits->codes.end(),
                                             item->code) != visits->codes.end();
      if (is_repeated) continue;
      if (options_.max_codes > 0 && visits->num_codes() - first >= options_.max_codes) {
        ++stats_.num_codes_cut;
        continue;
      }
      visits->codes.push_back(item->code);
    }
    visits->visit_times_us.push_back(spans_[static_cast<size_t>(visit)].start_us);
    visits->visit_end_times_us.push_back(spans_[static_cast<size_t>(visit)].end_us);
    visits->code_offsets.push_back(visits->num_codes());
  }
}

PatientVisits build_visits(const EventStore& store, const VisitOptions& options, int num_threads,
                           VisitStats* stats) {
  const std::vector<Chunk>& chunks = store.chunks();
  std::vector<PatientVisits> parts(chunks.size());
  std::vector<VisitStats> part_stats(chunks.size());
  const VisitGrouper first(store, options);  // the types of all codes are found once
  parallel_for(static_cast<int64_t>(chunks.size()),
               num_threads > 0 ? num_threads : default_num_threads(), [&](int64_t c, int) {
                 throw_if_stopped();
                 VisitGrouper grouper = first;
                 const Chunk& chunk = chunks[static_cast<size_t>(c)];
                 for (int64_t s = 0; s < chunk.num_subjects; ++s) {
                   grouper.append(store.subject(chunk.first_subject + s), &parts[c]);
                 }
                 part_stats[c] = grouper.stats();
               });
  PatientVisits out;
  VisitStats total;
  for (size_t c = 0; c < parts.size(); ++c) {
    out.append(parts[c]);
    parts[c] = PatientVisits();
    total += part_stats[c];
  }
  if (stats != nullptr) *stats = total;
  return out;
}

}  // namespace sequela
