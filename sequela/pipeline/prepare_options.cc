#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/objective/registry.h"
#include "sequela/ontology/athena_files.h"
#include "sequela/pipeline/prepare.h"

namespace fs = std::filesystem;

namespace sequela {

namespace {

void require_file(const char* key, const std::string& path) {
  if (!path.empty() && !fs::is_regular_file(path)) {
    throw ConfigError(key, path, "a file that is there");
  }
}

void require_fraction(const char* key, double value) {
  // Written so that NaN fails too.
  if (!(value >= 0 && value < 1)) throw ConfigError(key, str(value), "at least 0 and below 1");
}

void require_between(const char* key, int64_t value, int64_t min, int64_t max) {
  if (value < min || value > max) throw ConfigError(key, str(value), str(min, " to ", max));
}

void check_objective(const PrepareOptions& options) {
  const Objective& objective = find_objective(options.objective);
  std::map<std::string, int64_t> unknown = options.objective_values;
  for (const ObjectiveOption& option : objective.options()) {
    const auto given = unknown.find(option.name);
    if (given == unknown.end()) continue;
    require_between(option.name, given->second, option.min, option.max);
    unknown.erase(given);
  }
  if (!unknown.empty()) {
    throw ConfigError(str("--", unknown.begin()->first, " is no option of --objective ",
                          objective.name(), ". Fix: leave it out."));
  }
}

}  // namespace

void PrepareOptions::validate() const {
  if (num_ranks < 0 || rank < 0 || (num_ranks == 0 ? rank > 0 : rank >= num_ranks))
    throw ConfigError("rank", str(rank, "/", num_ranks), "0/N to N-1/N, such as 2/8");
  if (meds.empty()) throw ConfigError("meds", "", "a MEDS data set or meds_reader database");
  if (out.empty()) throw ConfigError("out", "", "a folder for the artifacts");
  check_objective(*this);
  if (!athena.empty() && !(fs::exists(athena) && is_athena_path(athena))) {
    throw ConfigError("athena", athena, "a folder with CONCEPT.csv, or the zip of the download");
  }
  require_file("split", split);
  require_file("dictionary", dictionary);
  require_file("task-file", task_file);
  require_fraction("val-fraction", val_fraction);
  require_fraction("min-fraction", min_fraction);
  require_fraction("task-min-fraction", task_min_fraction);
  require_between("vocab-size", vocab_size, 1, 65'536);
  require_between("num-numeric", num_numeric, 1, 65'536);
  require_between("bins-per-code", bins_per_code, 0, 100);
  if (dictionary.empty() && vocab_size <= num_numeric) {
    throw ConfigError("vocab-size", str(vocab_size),
                      str(num_numeric + 1, " or more, as the numeric bins alone may take ",
                          num_numeric, "; or fewer of them (num-numeric)"));
  }
  require_between("num-tasks", num_tasks, 1, 65'536);
  require_between("value-tasks", num_value_tasks, 0, 65'536 - num_tasks);
  require_between("num-bins", num_bins, 1, 1'024);
  require_between("final-layer-size", final_layer_size, 1, 65'536);
  require_between("threads", num_threads, 1, 4'096);
  // One thread, with the libraries, takes some 220 MiB (stage_options.h).
  if (memory_bytes < kMinMemoryBytes) {
    throw ConfigError("memory", str(memory_bytes / (1 << 20), "M"),
                      str(kMinMemoryBytes >> 20, "M or more"));
  }
  BatchOptions batch;
  batch.tokens_per_batch = tokens_per_batch;
  batch.label_fraction = label_fraction;
  batch.validate();
}

}  // namespace sequela
