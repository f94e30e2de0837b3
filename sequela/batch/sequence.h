#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/tokenizer/event_tokenizer.h"

namespace sequela {

// What the tokens of a record are.
enum class SequenceLayout {
  birth_bag,    // femr 0.2.4: token 0 is the bag of all events without a time, on the birth day or
                // before
  every_event,  // femr 0.2.0 - 0.2.3: those events are tokens like all others; without a time = at
                // birth
};

// One subject's whole record as T tokens (docs/design.md, section 6.1). After the birth bag, if the
// layout has one, each token is one event that brings something new to its day.
struct Sequence {
  SequenceLayout layout = SequenceLayout::birth_bag;
  int64_t subject_id = 0;
  int64_t birth_us = 0;
  int64_t last_us = 0;            // time of the record's last event; the birth if none has one
  std::vector<int64_t> times_us;  // T, ascending from token 1 on; token 0's is the birth
  std::vector<int64_t> events;    // T, index of each token's event; -1 = the birth bag
  std::vector<int64_t>
      bag_offsets;  // T + 1: token t owns bag[bag_offsets[t] .. bag_offsets[t + 1])
  std::vector<BagEntry> bag;

  int64_t num_tokens() const { return static_cast<int64_t>(times_us.size()); }
  // The first token that is an event.
  int64_t first_event() const { return layout == SequenceLayout::birth_bag ? 1 : 0; }
  std::span<const BagEntry> bag_of(int64_t token) const {
    return {bag.data() + bag_offsets[token],
            static_cast<size_t>(bag_offsets[token + 1] - bag_offsets[token])};
  }
};

// Makes sequences. Holds stamps per code and token that are reused: one object a thread.
class SequenceBuilder {
 public:
  // Refers to both. The layout is birth_bag for hierarchical dictionaries and every_event for flat
  // ones.
  SequenceBuilder(const EventStore& store, const EventTokenizer& tokenizer);
  SequenceBuilder(const EventStore& store, const EventTokenizer& tokenizer, SequenceLayout layout);

  // Fills `sequence` (its memory is reused) from a subject of the store. False, and `sequence` is
  // unspecified, if the subject has no birth.
  bool build(const Subject& subject, Sequence& sequence);

 private:
  bool append_if_new(const Subject& subject, int64_t i, Sequence& sequence);
  bool append_code(int32_t code, Sequence& sequence);

  const EventTokenizer& tokenizer_;
  const SequenceLayout layout_;
  // The day (counted over all subjects) on which a code or token was last seen.
  std::vector<uint64_t> code_days_;
  std::vector<uint64_t> token_days_;
  uint64_t day_ = 0;
};

}  // namespace sequela
