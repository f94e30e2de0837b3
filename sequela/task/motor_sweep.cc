#include "sequela/task/motor_sweep.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/task/future_events.h"

namespace sequela {

MotorSweep::MotorSweep(const TasksOfCodes& tasks, int64_t num_tasks)
    : tasks_(tasks), task_counts_(num_tasks), code_marks_(tasks.offsets.size() - 1) {}

void MotorSweep::find_labels(const Subject& subject) {
  label_times_us_.clear();
  const int64_t last_task_us = last_task_time_us(subject, tasks_);
  const int64_t birth_day = day_of(subject.birth_us);
  const int64_t* const end = subject.times_us + subject.num_events;
  const int64_t* time = std::upper_bound(subject.times_us, end, kNoTime);
  while (time != end) {
    const int64_t day = day_of(*time);
    const int64_t next_day_us = (day + 1) * kMicrosPerDay;
    while (time != end && *time < next_day_us) ++time;
    if (time == end || time[-1] >= last_task_us) break;
    if (day != birth_day) label_times_us_.push_back(time[-1]);
  }
}

void MotorSweep::add_event(const Subject& subject, int64_t i) {
  if (!subject.has_value(i)) {
    CodeMark& mark = code_marks_[subject.code(i)];
    if (mark.stamp == stamp_ && mark.num_before == num_before_) return;
    mark = {stamp_, num_before_};
  }
  const int64_t gap_to_end_us = subject.time_us(subject.num_events - 1) - subject.time_us(i);
  tasks_.each(subject, i, [&](int32_t task) { add_task(task, gap_to_end_us); });
}

void MotorSweep::add_task(int32_t task, int64_t gap_to_end_us) {
  TaskCounts& counts = task_counts_[task];
  const int32_t num_done = counts.stamp == stamp_ ? counts.num_done : 0;
  const int32_t num_new = num_before_ - num_done;
  if (num_new == 0) return;
  counts.num_events += num_new;
  counts.time_us -= static_cast<__int128>(gap_to_end_us) * num_new;
  counts.stamp = stamp_;
  counts.num_done = num_before_;
  ++starts_[num_done];
  first_start_ = std::min(first_start_, num_done);
}

// Adds the times from all labels that the events at `time_us` have made uncensored.
void MotorSweep::add_times(int64_t time_us) {
  int64_t num_tasks = 0;
  for (int32_t i = first_start_; i < num_before_; ++i) {
    num_tasks += starts_[i];
    starts_[i] = 0;
    event_times_.add(time_us - label_times_us_[i], num_tasks);
  }
  first_start_ = num_before_;
}

void MotorSweep::add(const Subject& subject) {
  find_labels(subject);
  if (label_times_us_.empty()) return;
  ++stamp_;
  const auto num_labels = static_cast<int32_t>(label_times_us_.size());
  const int64_t end_us = subject.time_us(subject.num_events - 1);
  num_labels_ += num_labels;
  for (int64_t time_us : label_times_us_) censor_time_us_ += end_us - time_us;
  if (starts_.size() < label_times_us_.size()) starts_.resize(label_times_us_.size());

  num_before_ = 0;
  first_start_ = 0;
  const int64_t* const times = subject.times_us;
  int64_t i = std::upper_bound(times, times + subject.num_events, label_times_us_[0]) - times;
  while (i < subject.num_events) {
    const int64_t time_us = times[i];
    while (num_before_ < num_labels && label_times_us_[num_before_] < time_us) ++num_before_;
    first_start_ = num_before_;
    for (; i < subject.num_events && times[i] == time_us; ++i) add_event(subject, i);
    add_times(time_us);
  }
}

void MotorSweep::merge(const MotorSweep& other) {
  SEQUELA_CHECK(task_counts_.size() == other.task_counts_.size());
  num_labels_ += other.num_labels_;
  censor_time_us_ += other.censor_time_us_;
  for (size_t t = 0; t < task_counts_.size(); ++t) {
    task_counts_[t].num_events += other.task_counts_[t].num_events;
    task_counts_[t].time_us += other.task_counts_[t].time_us;
  }
  event_times_.merge(other.event_times_);
}

}  // namespace sequela
