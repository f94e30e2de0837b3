#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/task/motor_task.h"

namespace sequela {

// Survival events are a subject's events with a time and without a numeric or text value; each is
// an occurrence of all tasks of its code (design.md section 7). `tasks` below is always
// tasks_of_codes() of the subject's store.

// Time of the last survival event that carries a task; kNoTime = there is none. A label at time t
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

// One subject's slice of a change log; row_offsets has labels + 1 values, relative to task_ids.
struct FutureChangesView {
  std::span<const int64_t> row_offsets;
  std::span<const uint16_t> task_ids;
  std::span<const uint32_t> seconds_after;
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

  const TasksOfCodes& tasks_;
  // What sweep() found, last label first: per label the tasks that changed, and the time of each.
  std::vector<int64_t> change_ends_;
  std::vector<int32_t> changed_tasks_;
  std::vector<int64_t> changed_times_us_;
  std::vector<int64_t> stamps_;         // by task: the label round that last changed it
  std::vector<int64_t> task_times_us_;  // by task: its first event after the label of this round
  std::vector<int32_t> active_;         // tasks met so far, ascending
  std::vector<uint8_t> is_active_;
  int64_t round_ = 0;
};

// Turns a change log back into rows. Holds buffers that are reused: one object a thread.
class ChangeReplay {
 public:
  explicit ChangeReplay(int32_t num_tasks);

  // Appends the rows of one subject's labels, all but their censor_seconds. label_seconds: seconds
  // since 1970, floored. Throws std::invalid_argument if a task id or offset is out of range.
  void append_rows(std::span<const int64_t> label_seconds, const FutureChangesView& changes,
                   FutureRows& rows);

 private:
  std::vector<int64_t> task_seconds_;
  std::vector<int32_t> active_;
  std::vector<uint8_t> is_active_;
};

}  // namespace sequela
