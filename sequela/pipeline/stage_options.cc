#include "sequela/pipeline/stage_options.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "sequela/objective/registry.h"

namespace sequela {
namespace {

// Resident memory of every stage beside what its threads need, by measurement: libraries, pages of
// the mapped events, ontology and dictionary.
constexpr int64_t kSharedBytes = int64_t{224} << 20;

}  // namespace

IngestOptions ingest_options(const PrepareOptions& options, const std::string& folder) {
  IngestOptions wanted;
  wanted.meds = options.meds;
  wanted.folder = folder;
  wanted.properties = options.properties;
  wanted.repair = options.repair;
  wanted.zone_rule = options.zone_rule;
  wanted.num_threads = options.num_threads;
  wanted.memory_bytes = std::max(options.memory_bytes - kSharedBytes, int64_t{1} << 20);
  return wanted;
}

int threads_within_memory(const PrepareOptions& options) {
  constexpr int64_t kCompactThread = int64_t{56} << 20, kFemrThread = int64_t{88} << 20;
  const int64_t of_thread = options.batch_format == BatchForm::femr ? kFemrThread : kCompactThread;
  const int64_t fitting = (options.memory_bytes - kSharedBytes) / of_thread;
  return static_cast<int>(std::clamp<int64_t>(fitting, 1, std::max(1, options.num_threads)));
}

TokenizerOptions tokenizer_options(const PrepareOptions& options) {
  TokenizerOptions wanted;
  wanted.vocab_size = options.vocab_size;
  wanted.num_numeric = options.num_numeric;
  wanted.bins_per_code = options.bins_per_code;
  wanted.min_fraction = options.min_fraction;
  wanted.fit_on_train_only = options.tokenizer_on == TokenizerSubjects::train;
  wanted.num_threads = threads_within_memory(options);
  return wanted;
}

Json task_values(const PrepareOptions& options) {
  const Objective& objective = find_objective(options.objective);
  Json values = Json::object();
  for (const ObjectiveOption& option : objective.options()) {
    const auto given = options.objective_values.find(option.name);
    values[option.name] = given == options.objective_values.end() ? option.fallback : given->second;
  }
  if (objective.name() != std::string_view("motor")) return values;
  values["num-tasks"] = options.num_tasks;
  values["value-tasks"] = options.num_value_tasks;
  values["num-bins"] = options.num_bins;
  values["final-layer-size"] = options.final_layer_size;
  values["task-min-fraction"] = options.task_min_fraction;
  return values;
}

BatchOptions batch_options(const PrepareOptions& options) {
  BatchOptions wanted;
  wanted.tokens_per_batch = options.tokens_per_batch;
  wanted.label_fraction = options.label_fraction;
  wanted.form = options.batch_format;
  wanted.first_timestamp =
      options.is_femr_compatible ? FirstTimestamp::last_event : FirstTimestamp::birth;
  wanted.num_threads = threads_within_memory(options);
  return wanted;
}

}  // namespace sequela
