#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/io/time_column.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/labels.h"
#include "sequela/pipeline/evaluation/subject_parts.h"

namespace sequela {

// What follow-up ended with (StepCurve's kinds).
enum class FollowUpEnd : uint8_t { censored, event, competing };

// One prediction task's labels, dealt to the parts of a split. A row is a label.
struct LabelTask {
  std::string name;
  std::vector<Label> labels;         // by subject and time, ascending, each once
  std::vector<int64_t> subject_ids;  // by row
  std::vector<uint8_t> outcomes;     // by row, 0 or 1; of times to an event whether it came
  // Of times to an event (`sequela label` writes them), else empty: days to the end of follow-up,
  // and what ended it (FollowUpEnd).
  std::vector<double> days;
  std::vector<uint8_t> ends;
  std::vector<int64_t> train, validation, test;  // rows
  std::vector<int64_t> places;                   // by row: its label among all tasks' labels

  bool is_survival() const { return !days.empty(); }
};

struct LabelTaskOptions {
  ZoneRule zone_rule = ZoneRule::utc;
  int64_t max_labels = 0;  // of a part, by a hash of the label; 0 = all
  uint64_t seed = 1;       // of that hash and of the validation share
};

// Reads a task's labels. Left out, and counted in a warning: labels of subjects that the store
// lacks, that the split does not name, and without a value. Without a label of a tuning subject a
// fifth of the train subjects validates. DataError for two labels of one subject and time, a value
// that is neither true nor false, and train or test without both outcomes (of times to an event:
// without an event); a warning where the validation rows lack one.
LabelTask read_label_task(const std::string& name, const std::string& path,
                          const SubjectParts& parts, const EventStore& store,
                          const LabelTaskOptions& options);

// The distinct labels of all tasks, ascending; fills in each task's `places`.
std::vector<Label> join_labels(std::vector<LabelTask>& tasks);

}  // namespace sequela
