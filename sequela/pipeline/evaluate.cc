#include "sequela/pipeline/evaluate.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/stopwatch.h"
#include "sequela/pipeline/evaluation/inputs.h"
#include "sequela/pipeline/evaluation/outputs.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

RunRecipe build_recipe(const EvaluateOptions& options, Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "evaluate";
  for (const std::string& argument : options.predictions) {
    const NamedFile file = parse_predictions_argument(argument);
    add_input(str("predictions ", file.task, ":", file.method), label_files(file.path),
              fingerprints, recipe);
  }
  for (const std::string& argument : options.labels) {
    const NamedFile file = parse_labels_argument(argument);
    add_input(str("labels ", file.task), label_files(file.path), fingerprints, recipe);
  }
  add_input("subgroups", single_file(options.subgroups), fingerprints, recipe);
  recipe.set("bootstraps", options.num_bootstraps);
  recipe.set("seed", options.seed);
  recipe.set("time-zone", zone_rule_name(options.zone_rule));
  return recipe;
}

}  // namespace

void EvaluateOptions::validate() const {
  if (predictions.empty()) {
    throw ConfigError(
        "there is nothing to evaluate. Fix: give --predictions, METHOD=FILE, or records with "
        "--meds.");
  }
  if (out.empty()) throw ConfigError("--out is missing. Fix: name a folder for the metrics.");
  if (num_bootstraps < 1) throw ConfigError("--bootstraps", str(num_bootstraps), "1 or more");
}

EvaluateReport evaluate_predictions(const EvaluateOptions& options) {
  options.validate();
  const Stopwatch watch;
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  const RunRecipe recipe = build_recipe(options, fingerprints);
  Manifest manifest(options.out, fingerprints);
  if (manifest.is_up_to_date(recipe)) return read_evaluation(options.out);
  const std::vector<BinaryTask> tasks = read_binary_tasks(options);
  const FolderLock lock(options.out);
  manifest.remove_with_files();
  EvaluateReport report;
  write_evaluation(options, tasks, {.methods = Json::array(), .leaks = Json::array()}, {}, recipe,
                   manifest, &report);
  report.seconds = watch.seconds();
  return report;
}

}  // namespace sequela
