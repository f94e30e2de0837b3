#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sequela/batch/sequence.h"
#include "sequela/features/stream/live_event.h"
#include "sequela/features/stream/live_tokenizer.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// How far a patient's record has been read.
struct SequenceState {
  int64_t subject_id = 0;
  int64_t birth_us = 0;
  int64_t num_tokens = 0;
  int64_t last_event_us = kNoTime;  // kNoTime: none, or static ones only
  int64_t last_token_us = kNoTime;  // of the last token that is an event
  int64_t day_end_us = kNoTime;     // of the calendar day that `seen` is about
  std::vector<uint64_t> seen;       // a bit per token id: seen on that day. Empty = none yet.
};

// A token to be computed: the patient's next one, or token 0 again if it has grown.
struct LiveToken {
  bool is_birth_bag = false;  // token 0 of layout birth_bag: its bag is added to those before
  int64_t position = 0;
  float age_days = 0;
  std::array<uint16_t, 5> time_data = {};  // float16
  int64_t bag_end = 0;                     // of its entries among those of all tokens
};

// Tokens of one or more patients, in the order of their making.
struct LiveTokens {
  std::vector<LiveToken> tokens;
  std::vector<BagEntry> bag;
};

// SequenceBuilder and BatchBuilder (layer batch) one event at a time: after any number of events,
// the tokens made so far are those of the whole record up to there.
class LiveSequence {
 public:
  // Refers to the tokenizer. `layout` as in SequenceBuilder: birth_bag for hierarchical
  // dictionaries, every_event for flat ones.
  LiveSequence(const LiveTokenizer& tokenizer, const AgeStats& age_stats, SequenceLayout layout);

  SequenceLayout layout() const { return layout_; }
  int64_t num_seen_words() const { return (tokenizer_.vocab_size() + 63) / 64; }

  // Throws DataError (without a path) for an event that may not follow: an impossible time, one
  // before `last_event_us`, or no time (static) after one with a time. Changes nothing.
  static void check(const LiveEvent& event, int64_t last_event_us);

  // Reads a checked event. At most two tokens are appended (a birth bag without events goes before
  // the first event).
  EventOutcome add(const LiveEvent& event, SequenceState& state, LiveTokens& out) const;

 private:
  void end_birth_bag(SequenceState& state, LiveTokens& out) const;
  void end_token(int64_t time_us, SequenceState& state, LiveTokens& out) const;
  bool is_new(SequenceState& state, const LiveTokens& out, size_t first_entry) const;

  const LiveTokenizer& tokenizer_;
  const AgeStats age_stats_;
  const SequenceLayout layout_;
};

}  // namespace sequela
