#include "sequela/task/future_events.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "sequela/core/random.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

using Row = std::map<int32_t, float>;

// The rows by their definition: for each label a look at all later events.
std::vector<Row> plain_rows(const Subject& subject, const TasksOfCodes& tasks,
                            const std::vector<int64_t>& labels) {
  std::vector<Row> rows(labels.size());
  for (size_t l = 0; l < labels.size(); ++l) {
    for (int64_t i = 0; i < subject.num_events; ++i) {
      const int64_t time_us = subject.time_us(i);
      if (time_us == kNoTime || time_us <= labels[l] || subject.has_value(i)) continue;
      const auto seconds = static_cast<float>(static_cast<double>(time_us - labels[l]) / 1e6);
      const int32_t code = subject.code(i);
      for (int64_t k = tasks.offsets[code]; k < tasks.offsets[code + 1]; ++k) {
        rows[l].emplace(tasks.tasks[k], seconds);
      }
    }
  }
  return rows;
}

std::vector<Row> to_rows(const FutureRows& rows, size_t first_row) {
  std::vector<Row> result;
  for (size_t row = first_row; row + 1 < rows.row_offsets.size(); ++row) {
    result.emplace_back();
    for (int64_t k = rows.row_offsets[row]; k < rows.row_offsets[row + 1]; ++k) {
      EXPECT_TRUE(k == rows.row_offsets[row] || rows.task_ids[k - 1] < rows.task_ids[k]);
      result.back()[rows.task_ids[k]] = rows.event_seconds[k];
    }
  }
  return result;
}

// A random half of a subject's distinct times.
std::vector<int64_t> some_times(const Subject& subject) {
  Random random(subject.id);
  std::vector<int64_t> times;
  for (int64_t i = 0; i < subject.num_events; ++i) {
    if (subject.time_us(i) != kNoTime && random.uniform() < 0.5)
      times.push_back(subject.time_us(i));
  }
  return times;
}

TasksOfCodes tasks_of(const Cohort& cohort, int32_t* num_tasks) {
  std::vector<std::string> codes;
  for (int32_t node = 0; node < cohort.ontology.num_nodes(); node += 3) {
    codes.push_back(cohort.ontology.code(node));
  }
  *num_tasks = static_cast<int32_t>(codes.size());
  return tasks_of_codes(cohort.store, cohort.ontology, codes);
}

TEST(FutureEvents, RowsAndReplayedChangesEqualTheDefinition) {
  const Cohort cohort = g60();
  int32_t num_tasks = 0;
  const TasksOfCodes tasks = tasks_of(cohort, &num_tasks);
  FutureEvents future(tasks, num_tasks);
  ChangeReplay replay(num_tasks);
  FutureRows rows, replayed;
  FutureChanges changes;
  for (int64_t s = 0; s < cohort.store.num_subjects(); ++s) {
    const Subject subject = cohort.store.subject(s);
    const std::vector<int64_t> labels = some_times(subject);
    const auto expected = plain_rows(subject, tasks, labels);
    const size_t first_row = rows.row_offsets.size() - 1;
    const size_t first_change = changes.row_offsets.size() - 1;
    future.append_rows(subject, labels, rows);
    future.append_changes(subject, labels, changes);
    ASSERT_EQ(to_rows(rows, first_row), expected) << "subject " << subject.id;

    const auto offsets = std::span(changes.row_offsets).subspan(first_change);
    std::vector<int64_t> label_seconds;
    for (int64_t time_us : labels) label_seconds.push_back(time_us / kMicrosPerSecond);
    replay.append_rows(label_seconds,
                       {offsets, std::span(changes.task_ids).subspan(offsets[0]),
                        std::span(changes.seconds_after).subspan(offsets[0])},
                       replayed);
    ASSERT_EQ(to_rows(replayed, first_row), expected) << "subject " << subject.id;
  }
  EXPECT_EQ(rows.censor_seconds, changes.censor_seconds);
  EXPECT_EQ(rows.censor_seconds.size() + 1, rows.row_offsets.size());
  EXPECT_LT(changes.task_ids.size() * 5, rows.task_ids.size());
}

// Times within one second of each other keep their order, and no time becomes 0.
TEST(FutureEvents, ChangesKeepTimesWithinASecondAhead) {
  const double second = 1 / 86'400.0;
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 1 + 0.25 * second, "a"},
                                          {1, 1 + 0.5 * second, "b"},
                                          {1, 400, "a"}});
  const TasksOfCodes tasks = tasks_of_codes(cohort.store, cohort.ontology, {"a", "b"});
  const Subject subject = cohort.store.subject(0);
  FutureEvents future(tasks, 2);
  FutureChanges changes;
  future.append_changes(subject, std::vector{subject.time_us(1)}, changes);
  EXPECT_EQ(changes.task_ids, (std::vector<uint16_t>{0, 1}));
  EXPECT_EQ(changes.seconds_after, (std::vector<uint32_t>{399 * 86'400, 1}));
}

TEST(FutureEvents, EventsWithValuesOrWithoutTimeDoNotCount) {
  const Cohort cohort = cohort_of_events({{1, std::nullopt, "a"},
                                          {1, 0, "MEDS_BIRTH"},
                                          {1, 1, "a"},
                                          {1, 2, "a", 3.0f},
                                          {1, 3, "a", std::nullopt, "mild"},
                                          {1, 4, "b"}});
  const TasksOfCodes tasks = tasks_of_codes(cohort.store, cohort.ontology, {"a", "none", "a2"});
  const Subject subject = cohort.store.subject(0);
  EXPECT_EQ(last_task_time_us(subject, tasks), kMicrosPerDay);
  FutureEvents future(tasks, 3);
  FutureRows rows;
  future.append_rows(subject, std::vector<int64_t>{0, kMicrosPerDay}, rows);
  EXPECT_EQ(rows.row_offsets, (std::vector<int64_t>{0, 1, 1}));
  EXPECT_EQ(rows.event_seconds, std::vector<float>{86'400});
  EXPECT_EQ(rows.censor_seconds, (std::vector<float>{4 * 86'400, 3 * 86'400}));
}

TEST(FutureEvents, NumbersInATasksRangeCount) {
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 1, "a", 2.0f},
                                          {1, 2, "a", 1.0f},
                                          {1, 3, "a"},
                                          {1, 4, "b", 1.0f},
                                          {1, 5, "a", std::nullopt, "1"},
                                          {1, 6, "a", NAN}},
                                         {{"b", {"a"}}});
  const TasksOfCodes tasks = tasks_of_targets(cohort.store, cohort.ontology,
                                              {{"a", NumberRange{1, 2}},
                                               {"a", std::nullopt},
                                               {"a", NumberRange{2, INFINITY}},
                                               {"none", NumberRange{0, 9}}});
  const Subject subject = cohort.store.subject(0);
  EXPECT_EQ(last_task_time_us(subject, tasks), 3 * kMicrosPerDay);
  FutureEvents future(tasks, 4);
  FutureRows rows;
  future.append_rows(subject, std::vector<int64_t>{0, kMicrosPerDay, 2 * kMicrosPerDay}, rows);
  EXPECT_EQ(rows.row_offsets, (std::vector<int64_t>{0, 3, 5, 6}));
  EXPECT_EQ(rows.task_ids, (std::vector<int32_t>{0, 1, 2, 0, 1, 1}));
  EXPECT_EQ(rows.event_seconds,
            (std::vector<float>{2 * 86'400, 3 * 86'400, 86'400, 86'400, 2 * 86'400, 86'400}));
}

TEST(ChangeReplay, RefusesABrokenLog) {
  ChangeReplay replay(2);
  FutureRows rows;
  const std::vector<int64_t> labels = {10, 20};
  const std::vector<uint16_t> ids = {0, 2};
  const std::vector<uint32_t> seconds = {1, 1};
  const std::vector<int64_t> good = {0, 1, 2}, descending = {0, 3, 2}, missing = {0, 2};
  EXPECT_THROW(replay.append_rows(labels, {good, ids, seconds}, rows), std::invalid_argument);
  EXPECT_THROW(replay.append_rows(labels, {descending, ids, seconds}, rows), std::invalid_argument);
  EXPECT_THROW(replay.append_rows(labels, {missing, ids, seconds}, rows), std::invalid_argument);
}

}  // namespace
}  // namespace sequela
