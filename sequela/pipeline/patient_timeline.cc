#include "sequela/pipeline/patient_timeline.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/time.h"
#include "sequela/meds/event_store.h"
#include "sequela/model/encoder_config.h"
#include "sequela/ontology/build_ontology.h"
#include "sequela/pipeline/live/live_scorer.h"
#include "sequela/pipeline/live/shard_source.h"
#include "sequela/pipeline/live/viewed_event.h"

namespace sequela {
namespace {

constexpr size_t kItemsAtOnce = 65'536;
constexpr size_t kLikeliestTasks = 5;
constexpr double kMicrosPerYear = kDaysPerYear * static_cast<double>(kMicrosPerDay);

std::vector<OwnedEvent> read_events(const TimelineOptions& options) {
  GrowingShards source(options.meds, ZoneRule::utc, GrowingShards::End::when_all_are_read, {});
  std::vector<OwnedEvent> events;
  std::vector<SourceItem> items;
  for (bool has_more = true; has_more;) {
    throw_if_stopped();
    items.clear();
    has_more = source.read(kItemsAtOnce, items);
    for (SourceItem& item : items) {
      if (item.event.subject_id != options.subject_id) continue;
      if (item.fault) throw DataError(*item.fault);
      events.push_back(std::move(item.event));
    }
  }
  if (events.empty()) {
    throw ConfigError(str("patient: ", options.subject_id, " is not in ", options.meds,
                          ". Fix: give the subject_id of a patient who is."));
  }
  return events;
}

LiveOptions live_options(const TimelineOptions& options, std::vector<std::string> tasks) {
  LiveOptions live{.model = options.model,
                   .tasks = std::move(tasks),
                   .horizon_days = options.horizon_days,
                   .memory_bytes = options.memory_bytes,
                   .num_threads = options.num_threads};
  const std::string codes = options.meds + "/metadata/codes.parquet";
  if (std::filesystem::exists(codes)) live.codes = codes;
  return live;
}

// The codes of a bundle's head that are one task each: LiveScorer takes no others.
std::vector<std::string> single_tasks(const std::string& model) {
  const ModelConfig config = read_model_config(model + "/config.json");
  std::vector<std::string> single;
  if (!config.motor) return single;
  std::map<std::string, int64_t> counts;
  for (const MotorHeadConfig::Task& task : config.motor->tasks) ++counts[task.code];
  for (const MotorHeadConfig::Task& task : config.motor->tasks)
    if (counts[task.code] == 1) single.push_back(task.code);
  return single;
}

// Risks after each event; n = events, S = tasks. NaN where nothing is known yet.
struct Scores {
  std::vector<std::string> tasks_S;
  std::vector<float> risks_nS;
};

Scores score(const TimelineOptions& options, const std::vector<OwnedEvent>& events) {
  std::vector<std::string> tasks = options.tasks;
  if (tasks.empty()) tasks = single_tasks(options.model);
  LiveScorer scorer(live_options(options, tasks));
  const std::vector<ViewedEvent> views(events.begin(), events.end());
  std::vector<LiveEvent> live;
  for (size_t i = 0; i < events.size(); ++i) {
    live.push_back({events[i].subject_id, events[i].time_us, events[i].code,
                    std::span(views[i].values).first(views[i].num_values)});
  }
  Scores scores{std::move(tasks), {}};
  scorer.add(live, [&](const LiveRows& rows) {
    const auto count = static_cast<size_t>(rows.num_events) * scores.tasks_S.size();
    scores.risks_nS.insert(scores.risks_nS.end(), rows.risks_nS, rows.risks_nS + count);
  });
  return scores;
}

// The tasks to show: all that were asked for, else those whose risk at the end is highest.
std::vector<size_t> shown_tasks(const TimelineOptions& options, const Scores& scores) {
  std::vector<size_t> tasks(scores.tasks_S.size());
  std::iota(tasks.begin(), tasks.end(), size_t{0});
  if (!options.tasks.empty()) return tasks;
  const float* last = scores.risks_nS.data() + scores.risks_nS.size() - tasks.size();
  std::ranges::stable_sort(tasks, [&](size_t a, size_t b) { return last[a] > last[b]; });
  if (tasks.size() > kLikeliestTasks) tasks.resize(kLikeliestTasks);
  return tasks;
}

}  // namespace

PatientTimeline patient_timeline(const TimelineOptions& options) {
  const std::vector<OwnedEvent> events = read_events(options);
  const Scores scores = score(options, events);
  int64_t birth_us = kNoTime;
  for (const OwnedEvent& event : events) {
    const bool is_earlier = birth_us == kNoTime || event.time_us < birth_us;
    if (event.code == kBirthCode && event.time_us != kNoTime && is_earlier)
      birth_us = event.time_us;
  }
  const auto age_of = [&](const OwnedEvent& event) {
    return static_cast<double>(event.time_us - birth_us) / kMicrosPerYear;
  };
  PatientTimeline timeline{.subject_id = options.subject_id, .horizon_days = options.horizon_days};
  for (const OwnedEvent& event : events) {
    if (event.time_us == kNoTime) continue;
    timeline.events.push_back(
        {age_of(event), std::string(shown_vocabulary_of(event.code)), event.code});
  }
  for (const size_t task : shown_tasks(options, scores)) {
    for (size_t i = 0; i < events.size(); ++i) {
      const float risk = scores.risks_nS[i * scores.tasks_S.size() + task];
      if (events[i].time_us == kNoTime || std::isnan(risk)) continue;
      timeline.risks.push_back({age_of(events[i]), scores.tasks_S[task], risk});
    }
  }
  return timeline;
}

}  // namespace sequela
