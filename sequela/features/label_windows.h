#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/batch/plan.h"
#include "sequela/batch/sequence.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/labels.h"
#include "sequela/tokenizer/event_tokenizer.h"

namespace sequela {

// Why a label has no embedding.
enum class LabelState : uint8_t {
  embedded,
  unknown_subject,     // not in the data set
  no_birth,            // the subject has no birth event, so no ages
  before_first_event,  // nothing is known of the subject after the day of birth, up to the
                       // prediction time
};
const char* to_text(LabelState state);

// Tokens of a label's history at the most, where a batch holds so many.
int32_t max_history(int64_t tokens_per_batch);

// The windows of records that labels ask for, subject by subject: each label reads the last token
// at or before its prediction time, with the longest history that fits (docs/design.md, section
// 10).
class LabelWindows {
 public:
  // Refers to all. states: one a label, filled as the subjects are passed.
  LabelWindows(const EventStore& store, const EventTokenizer& tokenizer,
               std::span<const Label> labels, int32_t max_length, LabelState* states);

  // Goes on to the next subject that has a label with a history, by ascending id; false at the end.
  bool next();

  // Of the subject that next() came to.
  const Sequence& sequence() const { return sequence_; }
  const ExactWindows& plan() const { return plan_; }
  const std::vector<int64_t>& labels() const { return embedded_; }  // parallel to plan().points

 private:
  bool plan_subject(std::span<const int64_t> labels);
  bool set_all(std::span<const int64_t> labels, LabelState state);

  const EventStore& store_;
  SequenceBuilder sequences_;
  std::span<const Label> labels_;
  const int32_t max_length_;
  LabelState* states_;
  std::vector<int64_t> order_;  // of labels, by subject and time
  size_t position_ = 0;         // in order_
  Sequence sequence_;
  ExactWindows plan_;
  std::vector<int32_t> tokens_;
  std::vector<int64_t> embedded_;
};

}  // namespace sequela
