#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sequela/evaluation/probe.h"

namespace sequela {

struct ProbeTasksOptions {
  std::string meds;                 // data set with subject_splits.parquet
  std::string features;             // features.parquet
  std::vector<std::string> labels;  // a labels.parquet a task; the task's name is the file's
  std::string truth;                // label_probabilities.parquet of synth; empty = not known
  std::string work_folder;          // for decoded events
  int num_threads = 1;
  int64_t memory_bytes = int64_t{1} << 30;
};

// A task's three probes on the subjects that the data set holds out: embeddings, age and sex,
// counts of codes. And, where it is known, the probability that the generator gave each label.
struct TaskResult {
  std::string task;
  ProbeResult embeddings, age_and_sex, code_counts;
  std::optional<ProbeResult> truth;
};

// Fits logistic regressions on the labels of train and tuning subjects and evaluates them on those
// of held-out subjects, once per task and kind of features, all on the same rows: those that have
// an embedding.
std::vector<TaskResult> probe_tasks(const ProbeTasksOptions& options);

}  // namespace sequela
