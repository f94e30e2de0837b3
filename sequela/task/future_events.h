#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/task/motor_task.h"

namespace sequela {

// Survival events are a subject's events with a time that are an occurrence of a task
// (TasksOfCodes::each; docs/design.md, section 5). `tasks` below is always that of the subject's
// store.

// Time of the last survival event; kNoTime = there is none. A label at time t
// has a task ahead of it if t is strictly less.
int64_t last_task_time_us(const Subject& subject, const TasksOfCodes& tasks);

// Rows of targets, one a label, in the order of the labels (CSR). Row l holds the tasks that do
// occur strictly after label l, ascending, each with the seconds to the first such event.
struct FutureRows {
  std::vector<float> censor_seconds;       // one a label: last event's time minus the label's
  std::vector<int64_t> row_offsets = {0};  // labels + 1
  std::vector<int32_t> task_ids;
  std::vector<float> event_seconds;  // > 0

  void clear();  // keeps the memory
};

// The same rows as a log of changes, read from the last label backwards: slice l holds the tasks
// that occur after label l and not later than label l + 1 (for a subject's last label: ever), and
// only these; for all other tasks row l equals row l + 1 but for the time between the two labels.
// About 1/25 of the rows' size.
struct FutureChanges {
  std::vector<float> censor_seconds;       // as in FutureRows
  std::vector<int64_t> row_offsets = {0};  // labels + 1
  std::vector<uint16_t> task_ids;          // ascending within a slice
  // From the label to the task's first event after it, both floored to whole seconds since 1970; at
  // least 1, at most 2^32 - 1 (136 years).
  std::vector<uint32_t> seconds_after;

  void clear();  // keeps the memory
};

// One subject's slice of a change log; row_offsets has labels + 1 values, the first of them the
// offset of task_ids[0].
struct FutureChangesView {
  std::span<const int64_t> row_offsets;
  std::span<const uint16_t> task_ids;
  std::span<const uint32_t> seconds_after;
};

// Changes of a subject's rows, last label first: round r holds what changes at the r-th label from
// the end.
struct ChangeRounds {
  std::vector<int64_t> ends;      // by round: end of its slice of the others
  std::vector<int32_t> task_ids;  // ascending within a round
  std::vector<int64_t> times;     // of the task's first event after the label

  void clear();  // keeps the memory
};

// Writes rows from rounds of changes. Tasks only ever join the rows, so a row costs one pass over
// its entries.
class RowFiller {
 public:
  explicit RowFiller(int32_t num_tasks);

  // label_times and the times of the rounds are in ticks. Appends everything but censor_seconds.
  void append_rows(std::span<const int64_t> label_times, int64_t ticks_per_second,
                   const ChangeRounds& rounds, FutureRows& rows);

 private:
  void count_rows(const ChangeRounds& rounds, FutureRows& rows);
  void join(int32_t num_old);

  std::vector<int64_t> times_;      // by task
  std::vector<uint8_t> is_active_;  // by task
  std::vector<int32_t> active_;     // ascending; during join() the new ones stand at the end
  std::vector<int32_t> joined_;
};

// Makes the targets of labels by one reverse sweep over a subject's events. Holds buffers that are
// reused: one object a thread. All methods append to their output.
class FutureEvents {
 public:
  // Refers to `tasks`. num_tasks is at most 65,536.
  FutureEvents(const TasksOfCodes& tasks, int32_t num_tasks);

  // label_times_us: ascending; equal times are allowed.
  void append_rows(const Subject& subject, std::span<const int64_t> label_times_us,
                   FutureRows& rows);
  void append_changes(const Subject& subject, std::span<const int64_t> label_times_us,
                      FutureChanges& changes);

 private:
  void sweep(const Subject& subject, std::span<const int64_t> label_times_us);
  void add(int32_t task, int64_t time_us);

  const TasksOfCodes& tasks_;
  RowFiller filler_;
  ChangeRounds rounds_;
  int64_t round_ = 0;                   // counts over all subjects
  std::vector<int64_t> task_rounds_;    // by task: the round that it last changed in
  std::vector<int64_t> task_times_us_;  // by task
};

// Turns a change log back into rows. Holds buffers that are reused: one object a thread.
class ChangeReplay {
 public:
  explicit ChangeReplay(int32_t num_tasks);

  // Appends the rows of one subject's labels, all but their censor_seconds. label_seconds: seconds
  // since 1970, floored. The log is untrusted: std::invalid_argument if an id or offset is out of
  // range.
  void append_rows(std::span<const int64_t> label_seconds, const FutureChangesView& changes,
                   FutureRows& rows);

 private:
  int32_t num_tasks_;
  RowFiller filler_;
  ChangeRounds rounds_;
};

}  // namespace sequela
