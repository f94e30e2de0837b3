#include "sequela/pipeline/evaluation/task_files.h"

#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "sequela/core/error.h"
#include "sequela/pipeline/device.h"
#include "sequela/pipeline/evaluation/methods.h"
#include "sequela/pipeline/label.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/run_inputs.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

NamedFile named_labels(const std::string& argument) {
  NamedFile file = parse_labels_argument(argument);
  if (file.task.empty()) file.task = fs::path(file.path).stem().string();
  return file;
}

std::string name_of_task(const std::string& task) {
  return fs::exists(task) ? fs::path(task).stem().string() : task;
}

// Records, split and what reads them: all that every prediction depends on.
RunRecipe base_recipe(const EvaluateMethodsOptions& options, Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = "evaluate";
  recipe.set("seed", options.seed);
  recipe.set("time-zone", zone_rule_name(options.zone_rule));
  recipe.set("max-labels", options.max_labels);
  recipe.set("read-out", to_text(options.read_out));
  recipe.set("tokens-per-batch", options.tokens_per_batch);
  recipe.set("precision",
             to_text(options.precision.value_or(embedding_precision(to_device(options.device)))));
  if (options.kernels != Kernels::automatic) recipe.set("kernels", to_text(options.kernels));
  add_input("meds", dataset_files(options.meds), fingerprints, recipe);
  if (!options.model.empty()) add_input("model", bundle_files(options.model), fingerprints, recipe);
  add_input("splits", single_file(options.splits), fingerprints, recipe);
  add_input("athena", ontology_files(options.athena), fingerprints, recipe);
  return recipe;
}

}  // namespace

std::string to_file_name(const std::string& name) {
  std::string text = name;
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  }
  return text;
}

std::vector<NamedFile> find_task_files(const EvaluateMethodsOptions& options) {
  std::vector<NamedFile> files;
  for (const std::string& argument : options.labels) files.push_back(named_labels(argument));
  for (const std::string& task : options.tasks) {
    LabelOptions label;
    label.meds = options.meds;
    label.task = task;
    label.athena = options.athena;
    label.out = options.out + "/labels/" + to_file_name(name_of_task(task));
    label.zone_rule = options.zone_rule;
    label.num_threads = options.num_threads;
    label.fingerprint_cache = options.fingerprint_cache;
    label.memory_bytes = options.memory_bytes;
    make_labels(label);
    files.push_back({name_of_task(task), "", label.out});
  }
  std::set<std::string> names;
  for (const NamedFile& file : files) {
    if (names.insert(to_file_name(file.task)).second) continue;
    throw ConfigError(str("two tasks are named '", file.task, "'. Fix: name them, TASK=FILE."));
  }
  return files;
}

RunRecipe methods_recipe(const EvaluateMethodsOptions& options, Fingerprints& fingerprints) {
  RunRecipe recipe = base_recipe(options, fingerprints);
  recipe.artifact = "evaluate";
  recipe.set("bootstraps", options.num_bootstraps);
  recipe.set("methods", chosen_method_words(options));
  recipe.set("hazards", options.hazards);
  recipe.set("horizons", Json(options.horizons).dump());
  recipe.set("shots", Json(options.shots).dump());
  recipe.set("draws", options.num_draws);
  recipe.set("leaks", to_text(options.leaks));
  recipe.set("subgroup-codes", options.subgroup_codes);
  for (const std::string& argument : options.labels) {
    const NamedFile file = named_labels(argument);
    add_input("labels " + file.task, label_files(file.path), fingerprints, recipe);
  }
  for (const std::string& task : options.tasks) {
    recipe.set("task " + name_of_task(task), fingerprint_of_text(task_text(task)));
  }
  for (const std::string& argument : options.predictions) {
    const NamedFile file = parse_predictions_argument(argument);
    add_input(str("predictions ", file.task, ":", file.method), label_files(file.path),
              fingerprints, recipe);
  }
  for (const std::string& argument : options.encoders) {
    const NamedFile encoder = parse_encoder_argument(argument);
    add_input("encoder " + encoder.method, encoder_files(encoder.path), fingerprints, recipe);
  }
  add_input("subgroups", single_file(options.subgroups), fingerprints, recipe);
  return recipe;
}

RunRecipe prediction_recipe(const EvaluateMethodsOptions& options, const RunRecipe& evaluation,
                            const LabelTask& task, const NamedFile& file, const Method& method,
                            Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = "evaluate";
  for (const char* option :
       {"seed", "time-zone", "max-labels", "read-out", "tokens-per-batch", "precision"}) {
    recipe.parameters[option] = evaluation.parameters.at(option);
  }
  for (const char* input : {"meds", "model", "splits", "athena"}) {
    const auto found = evaluation.inputs.find(input);
    if (found != evaluation.inputs.end()) recipe.inputs.insert(*found);
  }
  const auto encoder = evaluation.inputs.find("encoder " + method.name());
  if (encoder != evaluation.inputs.end()) recipe.inputs["encoder"] = encoder->second;
  if (options.kernels != Kernels::automatic) recipe.set("kernels", to_text(options.kernels));
  recipe.set("task", task.name);
  recipe.set("method", method.name());
  add_input("labels", label_files(file.path), fingerprints, recipe);
  method.describe(task, recipe);
  recipe.artifact =
      str("predictions/", to_file_name(task.name), "/", to_file_name(method.name()), ".parquet");
  recipe.outputs = {recipe.artifact};
  return recipe;
}

}  // namespace sequela
