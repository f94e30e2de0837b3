#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/time_column.h"

namespace sequela {

// An event with memory of its own.
struct OwnedEvent {
  int64_t subject_id = 0;
  int64_t time_us = kNoTime;  // kNoTime = static
  std::string code;
  std::optional<float> number;  // numeric_value
  std::string text;             // text_value; empty = none
};

// What a source has read: an event, or why there is none in its place.
struct SourceItem {
  OwnedEvent event;
  Where where;  // of the line or row; without the subject
  std::optional<DataError> fault;
};

// Events as they come in, from lines or from files.
class EventSource {
 public:
  virtual ~EventSource() = default;

  // Appends at most `most` items that are there, in order; where none is, waits for some, but no
  // longer than kWaitMs. False if there will be no more (items may have been appended).
  virtual bool read(size_t most, std::vector<SourceItem>& items) = 0;

  static constexpr int kWaitMs = 200;

  // What the times read so far were.
  const TimeNotes& time_notes() const { return notes_; }

 protected:
  TimeNotes notes_;
};

}  // namespace sequela
