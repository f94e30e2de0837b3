#include "sequela/features/stream/live_sequence.h"

#include <algorithm>

#include "sequela/batch/builder.h"
#include "sequela/batch/half.h"
#include "sequela/core/error.h"

namespace sequela {

LiveSequence::LiveSequence(const LiveTokenizer& tokenizer, const AgeStats& age_stats,
                           SequenceLayout layout)
    : tokenizer_(tokenizer), age_stats_(age_stats), layout_(layout) {}

void LiveSequence::check(const LiveEvent& event, int64_t last_event_us) {
  const auto refuse = [&](const std::string& problem, const std::string& fix) {
    throw DataError({.column = "time", .subject_id = event.subject_id}, problem, fix);
  };
  if (event.time_us == kNoTime && last_event_us != kNoTime) {
    refuse("an event without a time after one with a time",
           "send a patient's static events before all others");
  }
  if (event.time_us == kNoTime) return;
  if (event.time_us < kMinTimeUs || event.time_us > kMaxTimeUs) {
    refuse("out of range", "give microseconds since 1970");
  }
  if (event.time_us < last_event_us) {
    refuse("earlier than the event before", "send each patient's events in order of time");
  }
}

// Ends the birth bag, which may be without any event, as a token.
void LiveSequence::end_birth_bag(SequenceState& state, LiveTokens& out) const {
  state.num_tokens = 1;
  out.tokens.push_back({.is_birth_bag = true,
                        .position = 0,
                        .age_days = 0,
                        .time_data = {to_half(1), 0, 0, 0, 0},
                        .bag_end = static_cast<int64_t>(out.bag.size())});
}

void LiveSequence::end_token(int64_t time_us, SequenceState& state, LiveTokens& out) const {
  const int64_t age_us = time_us - state.birth_us;
  std::optional<int64_t> gap_us;
  if (state.last_token_us != kNoTime) gap_us = time_us - state.last_token_us;
  out.tokens.push_back({.is_birth_bag = false,
                        .position = state.num_tokens++,
                        .age_days = static_cast<float>(static_cast<double>(age_us) /
                                                       static_cast<double>(kMicrosPerDay)),
                        .time_data = time_data_of_event(age_stats_, layout_, age_us, gap_us),
                        .bag_end = static_cast<int64_t>(out.bag.size())});
  state.last_token_us = time_us;
}

// Whether an event's bag holds a token that the day has not seen; it has now.
bool LiveSequence::is_new(SequenceState& state, const LiveTokens& out, size_t first_entry) const {
  bool result = false;
  for (size_t i = first_entry; i < out.bag.size(); ++i) {
    uint64_t& word = state.seen[out.bag[i].token / 64];
    const uint64_t bit = uint64_t{1} << (out.bag[i].token % 64);
    result |= (word & bit) == 0;
    word |= bit;
  }
  return result;
}

EventOutcome LiveSequence::add(const LiveEvent& event, SequenceState& state,
                               LiveTokens& out) const {
  state.last_event_us = event.time_us;
  const size_t first_entry = out.bag.size();
  const bool has_birth_bag = layout_ == SequenceLayout::birth_bag;
  if (has_birth_bag && event.time_us < (day_of(state.birth_us) + 1) * kMicrosPerDay) {
    tokenizer_.append_bag(event, out.bag);
    if (out.bag.size() == first_entry && state.num_tokens > 0) return EventOutcome::nothing_new;
    end_birth_bag(state, out);
    return EventOutcome::grew_birth_bag;
  }
  if (has_birth_bag && state.num_tokens == 0) end_birth_bag(state, out);

  const int64_t time_us = event.time_us == kNoTime ? state.birth_us : event.time_us;
  if (time_us >= state.day_end_us) {
    state.day_end_us = (day_of(time_us) + 1) * kMicrosPerDay;
    state.seen.assign(num_seen_words(), 0);
  }
  tokenizer_.append_bag(event, out.bag);
  if (is_new(state, out, first_entry)) {
    end_token(time_us, state, out);
    return EventOutcome::new_token;
  }
  out.bag.resize(first_entry);
  return state.num_tokens == 0 ? EventOutcome::nothing_yet : EventOutcome::nothing_new;
}

}  // namespace sequela
