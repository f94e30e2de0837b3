#include "sequela/task/future_events.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "sequela/core/time.h"

namespace sequela {
namespace {

int64_t to_seconds(int64_t time_us) {
  const int64_t seconds = time_us / kMicrosPerSecond;
  return time_us % kMicrosPerSecond < 0 ? seconds - 1 : seconds;
}

void append_censor_seconds(const Subject& subject, std::span<const int64_t> label_times_us,
                           std::vector<float>& censor_seconds) {
  const int64_t end_us = subject.num_events > 0 ? subject.time_us(subject.num_events - 1) : 0;
  for (int64_t time_us : label_times_us) {
    const auto microseconds = static_cast<double>(end_us - time_us);
    censor_seconds.push_back(static_cast<float>(microseconds / kMicrosPerSecond));
  }
}

}  // namespace

int64_t last_task_time_us(const Subject& subject, const TasksOfCodes& tasks) {
  for (int64_t i = subject.num_events - 1; i >= 0 && subject.time_us(i) != kNoTime; --i) {
    bool has_task = false;
    tasks.each(subject, i, [&](int32_t) { has_task = true; });
    if (has_task) return subject.time_us(i);
  }
  return kNoTime;
}

void FutureRows::clear() {
  censor_seconds.clear();
  row_offsets.assign(1, 0);
  task_ids.clear();
  event_seconds.clear();
}

void FutureChanges::clear() {
  censor_seconds.clear();
  row_offsets.assign(1, 0);
  task_ids.clear();
  seconds_after.clear();
}

void ChangeRounds::clear() {
  ends.clear();
  task_ids.clear();
  times.clear();
}

RowFiller::RowFiller(int32_t num_tasks) : times_(num_tasks), is_active_(num_tasks) {}

// Appends the offsets of all rows and makes room for their entries.
void RowFiller::count_rows(const ChangeRounds& rounds, FutureRows& rows) {
  const size_t num_rows = rounds.ends.size();
  const size_t first = rows.row_offsets.size();
  rows.row_offsets.resize(first + num_rows);
  int64_t k = 0, num_active = 0;
  for (size_t round = 0; round < num_rows; ++round) {
    for (; k < rounds.ends[round]; ++k) {
      uint8_t& is_active = is_active_[rounds.task_ids[k]];
      num_active += 1 - is_active;
      is_active = 1;
    }
    rows.row_offsets[first + num_rows - 1 - round] = num_active;
  }
  for (int32_t task : rounds.task_ids) is_active_[task] = 0;
  for (size_t row = first; row < rows.row_offsets.size(); ++row) {
    rows.row_offsets[row] += rows.row_offsets[row - 1];
  }
  rows.task_ids.resize(rows.row_offsets.back());
  rows.event_seconds.resize(rows.row_offsets.back());
}

// Merges the tasks from active_[num_old] on, which are ascending, with those before them.
void RowFiller::join(int32_t num_old) {
  joined_.assign(active_.begin() + num_old, active_.end());
  int64_t old = num_old - 1, joined = static_cast<int64_t>(joined_.size()) - 1;
  for (int64_t to = static_cast<int64_t>(active_.size()) - 1; joined >= 0; --to) {
    const bool is_old = old >= 0 && active_[old] > joined_[joined];
    active_[to] = is_old ? active_[old--] : joined_[joined--];
  }
}

void RowFiller::append_rows(std::span<const int64_t> label_times, int64_t ticks_per_second,
                            const ChangeRounds& rounds, FutureRows& rows) {
  count_rows(rounds, rows);
  active_.clear();
  const size_t num_rows = label_times.size();
  const auto divisor = static_cast<double>(ticks_per_second);
  int64_t k = 0;
  for (size_t round = 0; round < num_rows; ++round) {
    const auto num_old = static_cast<int32_t>(active_.size());
    for (; k < rounds.ends[round]; ++k) {
      const int32_t task = rounds.task_ids[k];
      times_[task] = rounds.times[k];
      if (is_active_[task]) continue;
      is_active_[task] = 1;
      active_.push_back(task);
    }
    join(num_old);
    const int64_t label_time = label_times[num_rows - 1 - round];
    const int64_t offset = rows.row_offsets[rows.row_offsets.size() - 2 - round];
    int32_t* const ids = rows.task_ids.data() + offset;
    float* const seconds = rows.event_seconds.data() + offset;
    for (size_t a = 0; a < active_.size(); ++a) {
      ids[a] = active_[a];
      seconds[a] =
          static_cast<float>(static_cast<double>(times_[active_[a]] - label_time) / divisor);
    }
  }
  for (int32_t task : active_) is_active_[task] = 0;
}

FutureEvents::FutureEvents(const TasksOfCodes& tasks, int32_t num_tasks)
    : tasks_(tasks), filler_(num_tasks), task_rounds_(num_tasks), task_times_us_(num_tasks) {
  if (num_tasks > 65'536) throw std::invalid_argument("more than 65,536 tasks");
}

void FutureEvents::add(int32_t task, int64_t time_us) {
  task_times_us_[task] = time_us;
  if (task_rounds_[task] == round_) return;
  task_rounds_[task] = round_;
  rounds_.task_ids.push_back(task);
}

void FutureEvents::sweep(const Subject& subject, std::span<const int64_t> label_times_us) {
  rounds_.clear();
  int64_t i = subject.num_events - 1;
  for (size_t l = label_times_us.size(); l-- > 0;) {
    ++round_;
    const auto first = static_cast<ptrdiff_t>(rounds_.task_ids.size());
    for (; i >= 0 && subject.time_us(i) > label_times_us[l]; --i) {
      tasks_.each(subject, i, [&](int32_t task) { add(task, subject.time_us(i)); });
    }
    std::sort(rounds_.task_ids.begin() + first, rounds_.task_ids.end());
    for (size_t k = first; k < rounds_.task_ids.size(); ++k) {
      rounds_.times.push_back(task_times_us_[rounds_.task_ids[k]]);
    }
    rounds_.ends.push_back(static_cast<int64_t>(rounds_.task_ids.size()));
  }
}

void FutureEvents::append_rows(const Subject& subject, std::span<const int64_t> label_times_us,
                               FutureRows& rows) {
  sweep(subject, label_times_us);
  append_censor_seconds(subject, label_times_us, rows.censor_seconds);
  filler_.append_rows(label_times_us, kMicrosPerSecond, rounds_, rows);
}

void FutureEvents::append_changes(const Subject& subject, std::span<const int64_t> label_times_us,
                                  FutureChanges& changes) {
  sweep(subject, label_times_us);
  append_censor_seconds(subject, label_times_us, changes.censor_seconds);
  for (size_t l = 0; l < label_times_us.size(); ++l) {
    const size_t round = label_times_us.size() - 1 - l;
    const int64_t label_seconds = to_seconds(label_times_us[l]);
    for (int64_t k = round == 0 ? 0 : rounds_.ends[round - 1]; k < rounds_.ends[round]; ++k) {
      const int64_t seconds = to_seconds(rounds_.times[k]) - label_seconds;
      changes.task_ids.push_back(static_cast<uint16_t>(rounds_.task_ids[k]));
      changes.seconds_after.push_back(static_cast<uint32_t>(
          std::clamp<int64_t>(seconds, 1, std::numeric_limits<uint32_t>::max())));
    }
    changes.row_offsets.push_back(static_cast<int64_t>(changes.task_ids.size()));
  }
}

ChangeReplay::ChangeReplay(int32_t num_tasks) : num_tasks_(num_tasks), filler_(num_tasks) {}

void ChangeReplay::append_rows(std::span<const int64_t> label_seconds,
                               const FutureChangesView& changes, FutureRows& rows) {
  const auto& offsets = changes.row_offsets;
  if (offsets.size() != label_seconds.size() + 1)
    throw std::invalid_argument("labels and offsets differ");
  const auto size = static_cast<int64_t>(changes.task_ids.size());
  if (size != static_cast<int64_t>(changes.seconds_after.size()) ||
      offsets.back() - offsets[0] != size) {
    throw std::invalid_argument("offsets and entries of a change log differ");
  }
  rounds_.clear();
  for (size_t l = label_seconds.size(); l-- > 0;) {
    const int64_t first = offsets[l] - offsets[0], end = offsets[l + 1] - offsets[0];
    if (first < 0 || end < first || end > size) throw std::invalid_argument("offset out of range");
    for (int64_t k = first; k < end; ++k) {
      if (changes.task_ids[k] >= num_tasks_) throw std::invalid_argument("task id out of range");
      rounds_.task_ids.push_back(changes.task_ids[k]);
      rounds_.times.push_back(label_seconds[l] + changes.seconds_after[k]);
    }
    rounds_.ends.push_back(static_cast<int64_t>(rounds_.task_ids.size()));
  }
  filler_.append_rows(label_seconds, 1, rounds_, rows);
}

}  // namespace sequela
