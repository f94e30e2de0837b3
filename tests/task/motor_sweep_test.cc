#include "sequela/task/motor_sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/visit_records.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

struct PlainCounts {
  int64_t num_labels = 0;
  std::vector<int64_t> num_events;
  std::vector<__int128> time_us;  // over all labels
  TimeHistogram event_times;
};

// Times of a subject's first event of each task strictly after a time; kNoTime = none.
std::vector<int64_t> next_times(const Subject& subject, const TasksOfCodes& tasks, size_t num_tasks,
                                int64_t after_us) {
  std::vector<int64_t> next(num_tasks, kNoTime);
  for (int64_t i = subject.num_events - 1; i >= 0 && subject.time_us(i) > after_us; --i) {
    tasks.each(subject, i, [&](int32_t task) { next[task] = subject.time_us(i); });
  }
  return next;
}

// femr's way: for each label, each task.
void add_plainly(const Subject& subject, const TasksOfCodes& tasks, PlainCounts& counts) {
  const int64_t end_us = subject.time_us(subject.num_events - 1);
  for (int64_t i = 0; i + 1 < subject.num_events; ++i) {
    const int64_t time_us = subject.time_us(i);
    if (time_us == kNoTime || day_of(time_us) == day_of(subject.birth_us) ||
        day_of(time_us) == day_of(subject.time_us(i + 1))) {
      continue;
    }
    const auto next = next_times(subject, tasks, counts.num_events.size(), time_us);
    if (std::all_of(next.begin(), next.end(), [](int64_t t) { return t == kNoTime; })) continue;
    ++counts.num_labels;
    for (size_t t = 0; t < next.size(); ++t) {
      const bool is_event = next[t] != kNoTime;
      counts.num_events[t] += is_event;
      counts.time_us[t] += (is_event ? next[t] : end_us) - time_us;
      if (is_event) counts.event_times.add(next[t] - time_us, 1);
    }
  }
}

TEST(MotorSweep, EqualsCountingEachTaskAtEachLabel) {
  const TestFolder meds;
  write_visit_records(meds.path(), {.num_subjects = 300});
  const Cohort cohort = cohort_of_meds(meds.path());
  std::vector<TaskTarget> targets;
  for (size_t c = 0; c < cohort.store.codes().size(); c += 2) {
    targets.push_back({cohort.store.codes()[c], std::nullopt});
    targets.push_back({cohort.store.codes()[c], NumberRange{-INFINITY, 5}});
    targets.push_back({cohort.store.codes()[c], NumberRange{2, 100}});
  }
  const TasksOfCodes tasks = tasks_of_targets(cohort.store, cohort.ontology, targets);
  ASSERT_FALSE(tasks.value_tasks.empty());
  const size_t num_tasks = targets.size();
  MotorSweep sweep(tasks, static_cast<int64_t>(num_tasks));
  PlainCounts plain{0, std::vector<int64_t>(num_tasks), std::vector<__int128>(num_tasks), {}};
  for (int64_t s = 0; s < cohort.store.num_subjects(); ++s) {
    const Subject subject = cohort.store.subject(s);
    if (subject.birth_us == kNoTime) continue;
    sweep.add(subject);
    add_plainly(subject, tasks, plain);
  }
  EXPECT_EQ(sweep.num_labels(), plain.num_labels);
  for (size_t t = 0; t < num_tasks; ++t) {
    const MotorSweep::TaskCounts& counts = sweep.task_counts()[t];
    EXPECT_EQ(counts.num_events, plain.num_events[t]) << targets[t].name();
    EXPECT_TRUE(sweep.censor_time_us() + counts.time_us == plain.time_us[t]) << targets[t].name();
  }
  const std::vector<double> shares = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 1};
  EXPECT_GT(plain.event_times.count(), TimeHistogram::kMaxExact);
  EXPECT_EQ(sweep.event_times().count(), plain.event_times.count());
  EXPECT_EQ(sweep.event_times().quantiles(shares), plain.event_times.quantiles(shares));
}

}  // namespace
}  // namespace sequela
