#include "sequela/batch/sequence.h"

namespace sequela {

namespace {

bool has_any_value(const Subject& subject, int64_t i) {
  for (const PropertyValues& values : subject.properties) {
    if (values.has_value(i)) return true;
  }
  return false;
}

void start(const Subject& subject, Sequence& sequence) {
  sequence.subject_id = subject.id;
  sequence.birth_us = subject.birth_us;
  const int64_t last_us = subject.time_us(subject.num_events - 1);
  sequence.last_us = last_us == kNoTime ? subject.birth_us : last_us;
  sequence.times_us.clear();
  sequence.events.clear();
  sequence.bag_offsets.assign(1, 0);
  sequence.bag.clear();
}

void end_token(int64_t time_us, int64_t event, Sequence& sequence) {
  sequence.times_us.push_back(time_us);
  sequence.events.push_back(event);
  sequence.bag_offsets.push_back(static_cast<int64_t>(sequence.bag.size()));
}

}  // namespace

SequenceBuilder::SequenceBuilder(const EventStore& store, const EventTokenizer& tokenizer)
    : SequenceBuilder(
          store, tokenizer,
          tokenizer.is_hierarchical() ? SequenceLayout::birth_bag : SequenceLayout::every_event) {}

SequenceBuilder::SequenceBuilder(const EventStore& store, const EventTokenizer& tokenizer,
                                 SequenceLayout layout)
    : tokenizer_(tokenizer),
      layout_(layout),
      code_days_(store.codes().size(), 0),
      token_days_(static_cast<size_t>(tokenizer.vocab_size()), 0) {}

bool SequenceBuilder::build(const Subject& subject, Sequence& sequence) {
  if (subject.birth_us == kNoTime) return false;
  start(subject, sequence);
  sequence.layout = layout_;

  // Events are in order of time, those without one first: the birth bag's are a prefix.
  int64_t i = 0;
  int64_t day_end_us = kNoTime;
  if (layout_ == SequenceLayout::birth_bag) {
    day_end_us = (day_of(subject.birth_us) + 1) * kMicrosPerDay;
    for (; i < subject.num_events && subject.time_us(i) < day_end_us; ++i) {
      tokenizer_.append_bag(subject, i, sequence.bag);
    }
    end_token(subject.birth_us, -1, sequence);
  }
  for (; i < subject.num_events; ++i) {
    const int64_t time_us = subject.time_us(i) == kNoTime ? subject.birth_us : subject.time_us(i);
    if (time_us >= day_end_us) {
      day_end_us = (day_of(time_us) + 1) * kMicrosPerDay;
      ++day_;
    }
    if (append_if_new(subject, i, sequence)) end_token(time_us, i, sequence);
  }
  return true;
}

// Appends the event's bag if it has a token that the day has not seen yet.
bool SequenceBuilder::append_if_new(const Subject& subject, int64_t i, Sequence& sequence) {
  if (!has_any_value(subject, i)) return append_code(subject.code(i), sequence);
  const size_t old_size = sequence.bag.size();
  tokenizer_.append_bag(subject, i, sequence.bag);
  bool is_new = false;
  for (size_t k = old_size; k < sequence.bag.size(); ++k) {
    uint64_t& seen = token_days_[sequence.bag[k].token];
    is_new |= seen != day_;
    seen = day_;
  }
  if (!is_new) sequence.bag.resize(old_size);
  return is_new;
}

// The same for an event without values, whose bag is its code's: a code seen today needs no look
// at its tokens.
bool SequenceBuilder::append_code(int32_t code, Sequence& sequence) {
  if (code_days_[code] == day_) return false;
  code_days_[code] = day_;
  const auto tokens = tokenizer_.code_tokens(code);
  bool is_new = false;
  for (const int32_t token : tokens) {
    is_new |= token_days_[token] != day_;
    token_days_[token] = day_;
  }
  if (!is_new) return false;
  const float weight = 1.0f / static_cast<float>(tokens.size());
  for (const int32_t token : tokens) sequence.bag.push_back({token, weight});
  return true;
}

}  // namespace sequela
