#include <algorithm>
#include <limits>
#include <map>
#include <memory>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/core/time.h"
#include "sequela/task/motor_sweep.h"
#include "sequela/task/motor_task.h"
#include "sequela/tokenizer/quantile.h"

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;

std::vector<TaskTarget> candidate_codes(const Vocabulary& vocabulary, int32_t max_tasks) {
  std::vector<TaskTarget> targets;
  for (const VocabularyEntry& entry : vocabulary.entries) {
    if (static_cast<int32_t>(targets.size()) == max_tasks) break;
    if (entry.type == Type::code) targets.push_back({entry.code_string, std::nullopt});
  }
  return targets;
}

// The outer two bins of codes with bins of their own.
void add_value_candidates(const Vocabulary& vocabulary, int32_t max_tasks,
                          std::vector<TaskTarget>& targets) {
  std::vector<std::string> codes;  // in the vocabulary's order
  std::map<std::string, std::vector<NumberRange>> bins;
  for (const VocabularyEntry& entry : vocabulary.entries) {
    if (entry.type != Type::numeric || entry.code_string.empty()) continue;
    if (entry.property != "numeric_value") continue;
    std::vector<NumberRange>& own = bins[entry.code_string];
    if (own.empty()) codes.push_back(entry.code_string);
    own.push_back({entry.val_start, entry.val_end});
  }
  int32_t num_added = 0;
  for (const std::string& code : codes) {
    const std::vector<NumberRange>& own = bins[code];
    if (own.size() < 3) continue;
    const auto [low, high] = std::ranges::minmax_element(own, {}, &NumberRange::start);
    for (const NumberRange& range : {*low, *high}) {
      if (num_added++ == max_tasks) return;
      targets.push_back({code, range});
    }
  }
}

MotorSweep sweep_all(const EventStore& store, const TasksOfCodes& tasks, int64_t num_tasks,
                     const std::vector<Side>& sides, int num_threads) {
  SEQUELA_CHECK(static_cast<int64_t>(sides.size()) == store.num_subjects());
  const std::vector<Chunk>& chunks = store.chunks();
  std::vector<MotorSweep> sweeps(num_threads, MotorSweep(tasks, num_tasks));
  Progress progress("motor task", store.num_events(), "events");
  parallel_for(static_cast<int64_t>(chunks.size()), num_threads, [&](int64_t c, int thread) {
    throw_if_stopped();
    const Chunk& chunk = chunks[c];
    for (int64_t s = chunk.first_subject; s < chunk.first_subject + chunk.num_subjects; ++s) {
      if (sides[s] != Side::train) continue;
      const Subject subject = store.subject(s);
      if (subject.birth_us != kNoTime) sweeps[thread].add(subject);
    }
    store.release(chunk.first_subject, chunk.first_subject + chunk.num_subjects);
    progress.advance(chunk.num_events);
  });
  for (int t = 1; t < num_threads; ++t) sweeps[0].merge(sweeps[t]);
  return std::move(sweeps[0]);
}

std::vector<double> time_bins(const TimeHistogram& times, int32_t num_bins) {
  std::vector<double> shares;
  for (int32_t i = 0; i <= num_bins; ++i) shares.push_back(linspace_at(100, num_bins, i) / 100);
  std::vector<double> bins = times.quantiles(shares);
  bins.front() = 0;
  bins.back() = std::numeric_limits<double>::infinity();
  return bins;
}

// The task of a target, with rate 0 if it never happens.
MotorTask::Entry to_entry(const TaskTarget& target, const MotorSweep& sweep,
                          const MotorSweep::TaskCounts& counts) {
  const auto num_labels = static_cast<double>(sweep.num_labels());
  MotorTask::Entry entry{target};
  entry.n_events = counts.num_events;
  entry.n_censored = sweep.num_labels() - counts.num_events;
  entry.mean_time = static_cast<double>(sweep.censor_time_us() + counts.time_us) /
                    (num_labels * kMicrosPerSecond);
  entry.rate = static_cast<double>(counts.num_events) / num_labels / entry.mean_time;
  return entry;
}

}  // namespace

void MotorTaskOptions::validate() const {
  if (num_tasks < 1 || num_tasks > 65'536) {
    throw ConfigError("num-tasks", str(num_tasks), "1 to 65536");
  }
  if (num_value_tasks < 0 || num_value_tasks > 65'536 - num_tasks) {
    throw ConfigError("value-tasks", str(num_value_tasks),
                      str("0 to ", 65'536 - num_tasks, ", which with num-tasks makes 65536"));
  }
  if (num_bins < 1 || num_bins > 1'024) throw ConfigError("num-bins", str(num_bins), "1 to 1024");
  if (final_layer_size < 1) {
    throw ConfigError("final-layer-size", str(final_layer_size), "at least 1");
  }
  if (!(min_fraction >= 0 && min_fraction <= 1)) {
    throw ConfigError("min-fraction", str(min_fraction), "0 to 1");
  }
  if (num_threads < 1) throw ConfigError("threads", str(num_threads), "at least 1");
}

MotorTask fit_motor_task(const EventStore& store, const Ontology& ontology,
                         const Vocabulary& vocabulary, const std::vector<Side>& sides,
                         const MotorTaskOptions& options) {
  options.validate();
  std::vector<TaskTarget> targets = candidate_codes(vocabulary, options.num_tasks);
  if (static_cast<int32_t>(targets.size()) < options.num_tasks) {
    log_warning(str("only ", targets.size(), " codes in the dictionary for ", options.num_tasks,
                    " tasks; all of them are candidates"));
  }
  add_value_candidates(vocabulary, options.num_value_tasks, targets);
  const TasksOfCodes tasks = tasks_of_targets(store, ontology, targets);
  const MotorSweep sweep =
      sweep_all(store, tasks, static_cast<int64_t>(targets.size()), sides, options.num_threads);
  if (sweep.num_labels() == 0) {
    throw DataError({},
                    "no train subject has a code of the dictionary on a day after another record",
                    "give more subjects, or a dictionary that fits these data");
  }
  MotorTask task;
  task.final_layer_size = options.final_layer_size;
  task.time_bins = time_bins(sweep.event_times(), options.num_bins);
  for (size_t t = 0; t < targets.size(); ++t) {
    MotorTask::Entry entry = to_entry(targets[t], sweep, sweep.task_counts()[t]);
    const double fraction =
        static_cast<double>(entry.n_events) / static_cast<double>(sweep.num_labels());
    if (entry.n_events > 0 && fraction >= options.min_fraction)
      task.tasks.push_back(std::move(entry));
  }
  return task;
}

}  // namespace sequela
