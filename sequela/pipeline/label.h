#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/io/time_column.h"
#include "sequela/label/cohort.h"
#include "sequela/label/plan.h"

namespace sequela {

// All options of `sequela label`.
struct LabelOptions {
  std::string meds;        // MEDS data set or meds_reader database
  std::string task;        // a YAML file, or the name of a built-in task (label/builtin_tasks.h)
  std::string predicates;  // a YAML file of predicates that replace the task's; empty = none
  std::string out;         // folder
  std::string athena;  // Athena download or ontology.parquet, for `under`; empty = codes.parquet
  AcesMode mode = AcesMode::documented;
  ZoneRule zone_rule = ZoneRule::utc;  // of event times that have a zone
  int num_threads = 1;
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

struct LabelReport {
  int64_t num_labels = 0;
  int64_t num_subjects = 0;  // with a label
  int64_t num_events = 0;    // read
  int64_t num_true = 0, num_false = 0;
  std::vector<CohortStep> steps;  // how the cohort came about
  std::string emptied_by;         // what left no label, in words; empty if there are some
  double seconds = 0;
  bool is_up_to_date = false;
};

// Finds a task's cohort in a data set and writes its labels into options.out: one Parquet file in
// MEDS's label schema for each shard, by the shard's name (labels.parquet for a database),
// cohort.json, and a manifest. Finished output of the same inputs is left alone. Subjects are read
// one at a time, shards in parallel; the same bytes come out for any number of threads.
LabelReport make_labels(const LabelOptions& options);

// The text of a task, by the name of a built-in one; ConfigError with the nearest name.
std::string task_text(const std::string& name);

}  // namespace sequela
