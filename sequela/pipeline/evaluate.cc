#include "sequela/pipeline/evaluate.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/evaluation/inputs.h"
#include "sequela/pipeline/evaluation/report.h"
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

std::vector<TaskReport> evaluate_tasks(const std::vector<BinaryTask>& tasks,
                                       const EvaluateOptions& options) {
  const BootstrapOptions bootstrap{.num_resamples = options.num_bootstraps,
                                   .seed = options.seed,
                                   .num_threads = options.num_threads};
  std::vector<TaskReport> reports;
  Progress progress("evaluate", static_cast<int64_t>(tasks.size()), "tasks");
  for (const BinaryTask& task : tasks) {
    reports.push_back(evaluate_task(task, bootstrap));
    progress.advance(1);
  }
  adjust_p_values(reports);
  return reports;
}

using Files = std::vector<std::pair<std::string, std::string>>;  // name, content

// All files, or where one fails none.
void write_all(const std::string& folder, RunRecipe& recipe, Manifest& manifest, const Files& files,
               const Json& summary) {
  try {
    for (const auto& [name, content] : files) {
      write_file(folder + "/" + name, content);
      recipe.outputs.push_back(name);
    }
    manifest.record(recipe, summary);
  } catch (...) {
    for (const std::string& name : recipe.outputs) std::filesystem::remove(folder + "/" + name);
    throw;
  }
}

}  // namespace

void EvaluateOptions::validate() const {
  if (predictions.empty()) {
    throw ConfigError("--predictions is missing. Fix: name a Parquet file, METHOD=FILE.");
  }
  if (out.empty()) throw ConfigError("--out is missing. Fix: name a folder for the metrics.");
  if (num_bootstraps < 1) throw ConfigError("--bootstraps", str(num_bootstraps), "1 or more");
}

EvaluateReport evaluate_predictions(const EvaluateOptions& options) {
  options.validate();
  const auto start = std::chrono::steady_clock::now();
  EvaluateReport report;
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  RunRecipe recipe = build_recipe(options, fingerprints);
  Manifest manifest(options.out, fingerprints);
  report.is_up_to_date = manifest.is_up_to_date(recipe);
  if (report.is_up_to_date) {
    report.text = read_file(options.out + "/metrics.txt");
    report.json = read_file(options.out + "/metrics.json");
    return report;
  }
  const std::vector<BinaryTask> tasks = read_binary_tasks(options);
  report.tasks = evaluate_tasks(tasks, options);
  Json metrics = {{"bootstraps", options.num_bootstraps}, {"seed", options.seed}, {"level", 0.95}};
  metrics.update(to_json(report.tasks));
  report.json = json_text(metrics) + "\n";
  report.text = to_text(report.tasks);
  const FolderLock lock(options.out);
  manifest.remove_with_files();
  write_all(options.out, recipe, manifest,
            {{"metrics.json", report.json},
             {"metrics.csv", to_csv(report.tasks)},
             {"curves.json", json_text(curves_json(tasks)) + "\n"},
             {"metrics.txt", report.text}},
            {{"num_tasks", report.tasks.size()}});
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace sequela
