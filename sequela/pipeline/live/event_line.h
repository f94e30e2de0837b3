#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/io/time_column.h"
#include "sequela/pipeline/live/event_source.h"
#include "sequela/pipeline/live/live_scorer.h"

namespace sequela {

// An event as a JSON object, with MEDS's names:
//
//   {"subject_id": 1, "time": "2020-01-31T23:59:59", "code": "ICD10CM/I50",
//    "numeric_value": 1.5, "text_value": "high"}
//
// time is null or absent for static events; numeric_value and text_value may be null or absent.
// Other keys are passed over. Python's bare word NaN is a number.
//
// Throws DataError, without a place and without anything of the line: it may identify a person.
OwnedEvent parse_event_line(std::string_view line, ZoneRule zone_rule, TimeNotes* notes);
OwnedEvent to_event(const Json& json, ZoneRule zone_rule, TimeNotes* notes);  // the same
Json to_json(const OwnedEvent& event);

// Answers as JSON lines:
//
//   {"subject_id":1,"time":"2020-01-31T23:59:59","outcome":"new_token",
//    "risks":{"ICD10CM/I50":0.0123},"embedding":[0.5,-1.25]}
//
// Floats have as many digits as tell them from their neighbours; where there is no number yet,
// there is null.
class AnswerLines {
 public:
  AnswerLines(const std::vector<std::string>& tasks, int64_t hidden_size, bool with_embedding);

  void append(const OwnedEvent& event, EventOutcome outcome, const float* embedding_H,
              const float* risks_S, std::string& out) const;
  // To an event that waits for its patient's birth: outcome "waits_for_birth".
  void append_waiting(const OwnedEvent& event, std::string& out) const;

 private:
  void append_line(const OwnedEvent& event, const char* outcome, const float* embedding_H,
                   const float* risks_S, std::string& out) const;

  std::vector<std::string> quoted_tasks_;
  const int64_t hidden_size_;
  const bool with_embedding_;
};

}  // namespace sequela
