#pragma once

// Made-up records that no model was pretrained on, and what needs no model: for bench/learning.cc.

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/learning_scores.h"
#include "bench/learning_tasks.h"
#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/ingest.h"
#include "sequela/pipeline/data_ontology.h"
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

// Records that no model was pretrained on. Subject k is the same for any number of subjects, so
// that more of them leave the test side as it is.
class Others {
 public:
  Others(std::string folder, int64_t subjects, uint64_t seed) : folder_(std::move(folder)) {
    make_records(folder_, subjects, seed + 1'000);
  }

  std::string meds() const { return folder_ + "/meds"; }

  std::vector<Task> tasks(const TaskSides& sides) const {
    std::vector<Task> tasks;
    for (const TaskSpec& spec : task_specs()) tasks.push_back(read_task(folder_, spec.name, sides));
    return tasks;
  }

  History history(const Task& task) {
    if (!store_) open();
    return history_of(*store_, *ontology_, task);
  }

  // What needs no model: counts with trees, with logistic regression, age and sex. Found once.
  struct Baselines {
    double trees, logistic, age_and_sex;
  };
  Baselines baselines(const Task& task, const Scores& scores, int64_t number) {
    const std::string path = folder_ + "/baselines.json";
    const std::string key = str(task.name, " ", number);
    Json found = std::filesystem::exists(path) ? parse_json(read_file(path), path) : Json::object();
    if (!found.contains(key)) {
      if (counted_ != task.name) {
        history_ = history(task);
        counted_ = task.name;
      }
      found[key] = {scores.trees(history_.counts, number), scores.probe(history_.counts, number),
                    scores.probe(history_.age_and_sex, number)};
      write_file(path, json_text(found));
    }
    return {found[key][0], found[key][1], found[key][2]};
  }

 private:
  void open() {
    IngestOptions options;
    options.meds = meds();
    options.folder = folder_ + "/events";
    options.num_threads = kThreads;
    ingest(options);
    store_.emplace(EventStore::open(options.folder));
    ontology_.emplace(read_ontology_of(
        {folder_ + "/athena", find_dataset(meds()).codes_path.value_or(""), folder_, kThreads},
        store_->codes(), store_->counts()));
  }

  const std::string folder_;
  std::optional<EventStore> store_;
  std::optional<Ontology> ontology_;
  std::string counted_;  // the task of history_
  History history_;
};

}  // namespace sequela
