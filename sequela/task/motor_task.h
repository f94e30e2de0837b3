#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/meds/split.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

struct NumberRange {
  double start = 0, end = 0;

  bool contains(double number) const { return start <= number && number < end; }
};

// What a task waits for: an event without a value whose code has `code` among its all-parents; or,
// with a range, an event of exactly that code whose numeric_value lies in it.
struct TaskTarget {
  std::string code;
  std::optional<NumberRange> numbers;

  // The code, or the code and the range: "LOINC/2823-3 [5.1, inf)".
  std::string name() const;
};

// The MOTOR pretraining task: time to the next occurrence of each of many targets, in time bins.
struct MotorTask {
  struct Entry : TaskTarget {
    double rate = 0;  // events per second: fraction uncensored / mean time
    int64_t n_censored = 0;
    int64_t n_events = 0;
    double mean_time = 0;  // seconds, over both kinds
  };
  std::vector<double> time_bins;  // seconds, bins + 1 edges, first 0, last +infinity
  std::vector<Entry> tasks;
  int32_t final_layer_size = 512;

  int32_t num_bins() const { return static_cast<int32_t>(time_bins.size()) - 1; }
  static MotorTask read(const std::string& path);  // motor_task.json; FileError
  void write(const std::string& path) const;       // atomic
};

struct MotorTaskOptions {
  int32_t num_tasks = 8'192;  // candidates: the first code entries of the vocabulary
  // Candidates beside them: the outer two bins of the codes that have at least three bins of their
  // own, in the vocabulary's order. None in femr.
  int32_t num_value_tasks = 0;
  int32_t num_bins = 8;
  int32_t final_layer_size = 512;
  double min_fraction = 1e-3;  // of uncensored times
  int num_threads = 1;

  void validate() const;
};

// Learns the task from the train subjects in one forward sweep each (O(events x closure),
// independent of the number of tasks). Same result for any number of threads.
MotorTask fit_motor_task(const EventStore& store, const Ontology& ontology,
                         const Vocabulary& vocabulary, const std::vector<Side>& sides,
                         const MotorTaskOptions& options);

// For each code id of a store, the tasks that one of its events is an occurrence of.
struct TasksOfCodes {
  struct ValueTask {
    NumberRange numbers;
    int32_t task = 0;
  };
  // Of events without a value: offsets into `tasks`, ascending within a code.
  std::vector<int64_t> offsets;
  std::vector<int32_t> tasks;
  // Of events with a number; by code, or empty.
  std::vector<std::vector<ValueTask>> value_tasks;
  size_t number_property = 0;  // index of numeric_value among the store's properties

  // Calls visit(task) for each task that event i is an occurrence of.
  template <class Visit>
  void each(const Subject& subject, int64_t i, Visit visit) const {
    const int32_t code = subject.code(i);
    if (!subject.has_value(i)) {
      for (int64_t k = offsets[code]; k < offsets[code + 1]; ++k) visit(tasks[k]);
    } else if (!value_tasks.empty() && !value_tasks[code].empty()) {
      const auto number = subject.properties[number_property].number(i);
      for (const ValueTask& task : value_tasks[code]) {
        if (number && task.numbers.contains(*number)) visit(task.task);
      }
    }
  }
};

TasksOfCodes tasks_of_targets(const EventStore& store, const Ontology& ontology,
                              const std::vector<TaskTarget>& targets);
TasksOfCodes tasks_of_codes(const EventStore& store, const Ontology& ontology,
                            const std::vector<std::string>& codes);

}  // namespace sequela
