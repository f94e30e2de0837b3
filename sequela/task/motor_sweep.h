#pragma once

#include <cstdint>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/task/motor_task.h"
#include "sequela/task/time_histogram.h"

namespace sequela {

// Counts what the MOTOR task is fitted from: for each task the times from a subject's labels to the
// task's next event, or to the last record (docs/design.md, section 5).
//
// A label is the last event of a day, not the birth day, on whose record a later day follows, with
// a task event strictly ahead. Each task starts as censored at every label; one forward sweep over
// the events then turns into events the labels between a task's event and its one before. So the
// cost is one step for each event and task of its code, whatever the number of tasks. All is
// integer: the sums of sweeps do not depend on who swept which subject.
class MotorSweep {
 public:
  struct TaskCounts {
    __int128 time_us = 0;    // event times minus censor times, over the uncensored labels
    int64_t num_events = 0;  // uncensored labels
    int32_t stamp = 0;       // of the subject last met in
    int32_t num_done = 0;    // labels of that subject that lie before its last event of the task
  };

  // Refers to `tasks`.
  MotorSweep(const TasksOfCodes& tasks, int64_t num_tasks);

  void add(const Subject& subject);
  void merge(const MotorSweep& other);

  int64_t num_labels() const { return num_labels_; }
  __int128 censor_time_us() const { return censor_time_us_; }  // over all labels
  const std::vector<TaskCounts>& task_counts() const { return task_counts_; }
  const TimeHistogram& event_times() const { return event_times_; }

 private:
  void find_labels(const Subject& subject);
  void add_event(const Subject& subject, int64_t i);
  void add_task(int32_t task, int64_t gap_to_end_us);
  void add_times(int64_t time_us);

  struct CodeMark {
    int32_t stamp = 0;
    int32_t num_before = 0;
  };

  const TasksOfCodes& tasks_;
  int64_t num_labels_ = 0;
  __int128 censor_time_us_ = 0;
  std::vector<TaskCounts> task_counts_;
  TimeHistogram event_times_;

  int32_t stamp_ = 0;                    // of the subject in work
  int32_t num_before_ = 0;               // its labels strictly before the event in work
  std::vector<int64_t> label_times_us_;  // of the subject in work
  std::vector<CodeMark> code_marks_;     // by code: when it was last seen without a value
  // Tasks of the events at one time whose labels from i on are uncensored at that time: starts_[i]
  // of them.
  std::vector<int32_t> starts_;
  int32_t first_start_ = 0;
};

}  // namespace sequela
