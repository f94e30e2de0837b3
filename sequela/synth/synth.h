#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "sequela/synth/course.h"

namespace sequela {

struct SynthOptions {
  int64_t num_subjects = 1000;
  uint64_t seed = 1;
  bool has_flares = false;  // a code whose coming order and spacing of visits tell (flares.h)
  std::string folder;       // new, empty, or made by an earlier synth (which is then replaced)
  int num_threads = 1;      // changes no byte of the output; fewer are used where memory is short
  int64_t memory_bytes = int64_t{1} << 30;  // to stay under, libraries counted

  void validate() const;  // ConfigError
};

struct SynthReport {
  int64_t num_subjects = 0;
  int64_t num_events = 0;
  int64_t num_shards = 0;
  int64_t num_codes = 0;  // distinct codes that may occur
  int64_t num_deaths = 0;
  struct TaskCount {
    int64_t num_labels = 0;
    int64_t num_positive = 0;
  };
  std::array<TaskCount, static_cast<size_t>(SynthTask::count)> tasks;
};

// Generates a health-record data set with planted diseases, whose hazards are written beside it:
//
//   FOLDER/meds/data/{train,tuning,held_out}/N.parquet   MEDS 0.4, at most 1,000 subjects a shard;
//          /meds/metadata/                               codes.parquet dataset.json
//          subject_splits.parquet
//   FOLDER/athena/                                       CONCEPT.csv ..., the shape of an Athena
//   download FOLDER/labels.parquet                                all three tasks: subject_id,
//   prediction_time,
//                                                        boolean_value, task
//   FOLDER/labels/TASK.parquet                           one task each, MEDS label schema; see
//   TaskLabel FOLDER/truth/                                        hazards.json subjects.parquet
//   diseases.parquet
//                                                        label_probabilities.parquet
//   FOLDER/synth.json                                    options and counts
//
// The data depend on the seed and the number of subjects alone; subject k is the same for any
// number. Memory: about 180 MiB and 72 MiB a thread, for any number of subjects. The folder appears
// only when complete. Throws ConfigError, ResourceError, Interrupted.
SynthReport synth(const SynthOptions& options);

}  // namespace sequela
