#pragma once

// Made-up records and their tasks as `sequela evaluate` takes them: for bench/learning.cc.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/labels.h"
#include "sequela/synth/outbreak_truth.h"
#include "sequela/synth/synth.h"

namespace sequela {

inline int num_threads() {
  const char* given = std::getenv("SEQUELA_BENCH_THREADS");
  return given ? std::max(1, std::atoi(given))
               : static_cast<int>(std::thread::hardware_concurrency());
}
inline const int kThreads = num_threads();

inline void make_records(const std::string& folder, int64_t subjects, uint64_t seed) {
  if (std::filesystem::exists(folder + "/synth.json")) return;
  synth({.num_subjects = subjects,
         .seed = seed,
         .has_flares = true,
         .folder = folder,
         .num_threads = kThreads});
}

// A task, and the code whose next event within so many days answers it.
struct TaskSpec {
  std::string name;
  std::string code;
  int days = 0;
};

inline std::vector<TaskSpec> task_specs() {
  return {{"in_hospital_mortality", "MEDS_DEATH", 30},
          {"readmission_30d", "Visit/IP", 30},
          {"chronic_onset_1y", code_of_disease(kOnsetTaskDisease), 365},
          {"flare_30d", "LOCAL/flare", 30}};
}

// Arguments of an evaluation.
struct TaskFiles {
  std::vector<std::string> labels, truth, hazards;
  std::string splits;
};

// A label with the generator's own probability.
struct TrueLabel {
  int64_t subject_id, time_us;
  bool outcome;
  float probability;
};

// A task's labels of the truth, by whether they fit or test, then by outcome.
using TrueLabels = std::array<std::array<std::vector<TrueLabel>, 2>, 2>;

inline TrueLabels read_true_labels(const std::string& records, const std::string& name,
                                   const std::function<std::string(int64_t)>& part_of) {
  TrueLabels labels;
  ParquetReader reader(records + "/truth/label_probabilities.parquet");
  const std::vector<int> columns = {
      reader.require_column("subject_id", {ColumnType::int64}),
      reader.require_column("prediction_time", {ColumnType::timestamp}),
      reader.require_column("boolean_value", {ColumnType::boolean}),
      reader.require_column("probability", {ColumnType::float32}),
      reader.require_column("task", {ColumnType::string})};
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      if (batch.columns[4].text(i) != name) continue;
      const int64_t subject = batch.columns[0].int64s[i];
      const std::string part = part_of(subject);
      if (part.empty()) continue;
      const bool outcome = batch.columns[2].booleans[i] != 0;
      labels[part == "held_out"][outcome].push_back(
          {subject, batch.columns[1].int64s[i], outcome, batch.columns[3].floats[i]});
    }
  });
  return labels;
}

// At most so many labels of a side, positives up to half of them, which leaves AUROC's expectation
// as it is. A label's place in the draw depends on the label alone.
inline std::vector<TrueLabel> take_balanced(TrueLabels labels, int64_t max_fit, int64_t max_test) {
  std::vector<TrueLabel> taken;
  for (const int side : {0, 1}) {
    const int64_t most = side == 0 ? max_fit : max_test;
    const auto positives = std::min<int64_t>(labels[side][1].size(), most / 2);
    for (const int outcome : {0, 1}) {
      std::vector<TrueLabel>& own = labels[side][outcome];
      std::ranges::sort(own, {}, [](const TrueLabel& label) {
        return hash_key(7, label.subject_id, label.time_us);
      });
      own.resize(std::min<size_t>(own.size(), outcome ? positives : most - positives));
      taken.insert(taken.end(), own.begin(), own.end());
    }
  }
  return taken;
}

// Writes labels, truth and splits of all tasks into `folder`; subjects whose part is empty are left
// out.
inline TaskFiles write_task_files(const std::string& records, const std::string& folder,
                                  const std::function<std::string(int64_t)>& part_of,
                                  int64_t max_fit) {
  constexpr int64_t kMaxTest = 2'000;
  std::filesystem::create_directories(folder + "/labels");
  std::filesystem::create_directories(folder + "/truth");
  TaskFiles files{.splits = folder + "/splits.parquet"};
  std::set<int64_t> all;
  for (const TaskSpec& spec : task_specs()) {
    std::vector<int64_t> subjects, times;
    std::vector<uint8_t> outcomes;
    std::vector<float> probabilities;
    for (const TrueLabel& label :
         take_balanced(read_true_labels(records, spec.name, part_of), max_fit, kMaxTest)) {
      all.insert(label.subject_id);
      subjects.push_back(label.subject_id);
      times.push_back(label.time_us);
      outcomes.push_back(label.outcome);
      probabilities.push_back(label.probability);
    }
    const Table keys = {{.name = "subject_id", .values = subjects},
                        {.name = "prediction_time", .values = times, .is_timestamp = true}};
    Table labels = keys, truth = keys;
    labels.push_back({.name = "boolean_value", .values = outcomes});
    truth.push_back({.name = "predicted_boolean_probability", .values = probabilities});
    const std::string file = "/" + spec.name + ".parquet";
    write_parquet(folder + "/labels" + file, labels);
    write_parquet(folder + "/truth" + file, truth);
    files.labels.push_back(folder + "/labels" + file);
    files.truth.push_back(spec.name + ":truth=" + folder + "/truth" + file);
    files.hazards.push_back(str(spec.name, "=", spec.code, "@", spec.days));
  }
  std::vector<int64_t> subjects(all.begin(), all.end());
  std::vector<std::string> parts;
  for (const int64_t subject : subjects) parts.push_back(part_of(subject));
  write_parquet(files.splits,
                {{.name = "subject_id", .values = subjects}, {.name = "split", .values = parts}});
  return files;
}

}  // namespace sequela
