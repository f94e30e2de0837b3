#include "sequela/pipeline/live/follower.h"

#include <algorithm>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/meds/event_store.h"
#include "sequela/pipeline/live/viewed_event.h"

namespace sequela {
namespace {

bool is_birth(const OwnedEvent& event) {
  return event.time_us != kNoTime && event.code == kBirthCode;
}

}  // namespace

bool Follower::is_known(int64_t subject_id) {
  if (scorer_.embedder().patients().holds(subject_id)) return true;
  return !waiting_.contains(subject_id) && states_.load(subject_id, scorer_.embedder());
}

void Follower::check(const OwnedEvent& event, bool is_known_patient, const Where& where) const {
  int64_t last_us = kNoTime;
  const auto pending = last_us_.find(event.subject_id);
  const auto waiting = waiting_.find(event.subject_id);
  if (pending != last_us_.end()) {
    last_us = pending->second;
  } else if (is_known_patient) {
    last_us = scorer_.embedder().patients().last_event_us(event.subject_id);
  } else if (waiting != waiting_.end()) {
    last_us = waiting->second.back().time_us;
  }
  try {
    LiveSequence::check({event.subject_id, event.time_us, event.code, {}}, last_us);
    if (waiting != waiting_.end() && waiting->second.size() >= kMaxWaiting) {
      throw DataError({.subject_id = event.subject_id},
                      str(kMaxWaiting, " events and no MEDS_BIRTH that has a time"),
                      "send MEDS_BIRTH with the patient's first events");
    }
  } catch (const DataError& error) {
    throw error.within(where);
  }
}

void Follower::take(OwnedEvent event, const Where& where) {
  const bool is_known_patient = is_known(event.subject_id);
  check(event, is_known_patient, where);
  last_us_[event.subject_id] = event.time_us;
  if (is_known_patient) {
    taken_.push_back({std::move(event), Kind::to_be_answered});
  } else if (is_birth(event)) {
    admit(event);
    taken_.push_back({std::move(event), Kind::to_be_answered});
  } else {
    taken_.push_back({event, Kind::answered_as_waiting});
    waiting_[event.subject_id].push_back(std::move(event));
  }
}

// The patient is there from now on, and what waited goes before the birth.
void Follower::admit(const OwnedEvent& birth) {
  scorer_.embedder().admit(birth.subject_id, birth.time_us);
  const auto waiting = waiting_.find(birth.subject_id);
  if (waiting == waiting_.end()) return;
  for (OwnedEvent& event : waiting->second) taken_.push_back({std::move(event), Kind::waits});
  waiting_.erase(waiting);
}

void Follower::restore(std::vector<OwnedEvent> waiting) {
  for (OwnedEvent& event : waiting) waiting_[event.subject_id].push_back(std::move(event));
}

std::vector<OwnedEvent> Follower::waiting_events() const {
  std::vector<OwnedEvent> events;
  for (const auto& [subject_id, waiting] : waiting_)
    events.insert(events.end(), waiting.begin(), waiting.end());
  std::ranges::stable_sort(events, {}, &OwnedEvent::subject_id);
  return events;
}

// Those that are not only answered as waiting, some at a time: all of them are answered, even if a
// stop is asked for meanwhile.
void Follower::add_all(const std::function<void(const LiveRows&)>& take) {
  const auto at_once = static_cast<size_t>(scorer_.embedder().max_events_at_once());
  std::vector<ViewedEvent> views;
  std::vector<LiveEvent> events;
  views.reserve(at_once);
  const auto add = [&] {
    if (!events.empty()) scorer_.add(events, take);
    events.clear();
    views.clear();
  };
  for (const Taken& taken : taken_) {
    if (taken.kind == Kind::answered_as_waiting) continue;
    const OwnedEvent& event = taken.event;
    const ViewedEvent& view = views.emplace_back(event);
    events.push_back({event.subject_id, event.time_us, event.code,
                      std::span(view.values).first(view.num_values)});
    if (events.size() == at_once) add();
  }
  add();
}

void Follower::answer(std::string& out) {
  size_t next = 0;
  const auto answer_waiting = [&] {
    for (; next < taken_.size() && taken_[next].kind == Kind::answered_as_waiting; ++next)
      lines_.append_waiting(taken_[next].event, out);
  };
  const auto num_tasks = static_cast<int64_t>(scorer_.tasks().size());
  add_all([&](const LiveRows& rows) {
    for (int64_t i = 0; i < rows.num_events; ++i, ++next) {
      answer_waiting();
      if (taken_[next].kind == Kind::waits) continue;
      lines_.append(taken_[next].event, rows.outcomes_n[i],
                    rows.embeddings_nH + i * scorer_.hidden_size(), rows.risks_nS + i * num_tasks,
                    out);
    }
  });
  answer_waiting();
  taken_.clear();
  last_us_.clear();
}

}  // namespace sequela
