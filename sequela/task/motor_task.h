#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/meds/split.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// The MOTOR pretraining task: time to the next occurrence of each of many codes, in time bins.
struct MotorTask {
  struct Entry {
    std::string code;
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

// For each code id of a store, the tasks that one of its events is an occurrence of (those of the
// task's codes that are among all-parents of the code), ascending; as offsets and values.
struct TasksOfCodes {
  std::vector<int64_t> offsets;
  std::vector<int32_t> tasks;
};
TasksOfCodes tasks_of_codes(const EventStore& store, const Ontology& ontology,
                            const std::vector<std::string>& task_codes);

}  // namespace sequela
