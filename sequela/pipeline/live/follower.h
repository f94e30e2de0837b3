#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sequela/pipeline/live/event_line.h"
#include "sequela/pipeline/live/event_source.h"
#include "sequela/pipeline/live/live_scorer.h"
#include "sequela/pipeline/live/saved_states.h"

namespace sequela {

// Takes events one by one in the order of their coming, and answers them together: it knows whose
// birth is not known yet, whose state lies in the folder, and which event may not follow.
class Follower {
 public:
  // Most events that wait for the birth of one patient.
  static constexpr size_t kMaxWaiting = 10'000;

  // Refers to all of them.
  Follower(LiveScorer& scorer, const SavedStates& states, const AnswerLines& lines)
      : scorer_(scorer), states_(states), lines_(lines) {}

  // DataError, with the event's place, for one that may not follow. It is as if it had not come.
  void take(OwnedEvent event, const Where& where);
  // Events that wait from an earlier run; they are not answered again.
  void restore(std::vector<OwnedEvent> waiting);
  // Appends the answers to the events since the last call, in their order.
  void answer(std::string& out);

  int64_t num_waiting_patients() const { return static_cast<int64_t>(waiting_.size()); }
  std::vector<OwnedEvent> waiting_events() const;

 private:
  enum class Kind { to_be_answered, answered_as_waiting, waits };
  struct Taken {
    OwnedEvent event;
    Kind kind;
  };
  bool is_known(int64_t subject_id);
  void check(const OwnedEvent& event, bool is_known_patient, const Where& where) const;
  void admit(const OwnedEvent& birth);
  void add_all(const std::function<void(const LiveRows&)>& take);

  LiveScorer& scorer_;
  const SavedStates& states_;
  const AnswerLines& lines_;
  std::unordered_map<int64_t, std::vector<OwnedEvent>> waiting_;  // by patient
  std::unordered_map<int64_t, int64_t> last_us_;                  // of patients among taken_
  std::vector<Taken> taken_;
};

}  // namespace sequela
