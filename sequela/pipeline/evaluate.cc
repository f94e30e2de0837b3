#include "sequela/pipeline/evaluate.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/evaluation/inputs.h"
#include "sequela/pipeline/evaluation/report.h"
#include "sequela/pipeline/folder_lock.h"
#include "sequela/pipeline/run_manifest.h"

namespace sequela {
namespace {

std::string evaluation_key(const EvaluateOptions& options) {
  Json inputs = Json::array();
  for (const std::string& argument : options.predictions) {
    const NamedFile file = parse_predictions_argument(argument);
    inputs.push_back({file.task, file.method, label_key(file.path)});
  }
  for (const std::string& argument : options.labels) {
    const NamedFile file = parse_labels_argument(argument);
    inputs.push_back({file.task, label_key(file.path)});
  }
  if (!options.subgroups.empty()) inputs.push_back(label_key(options.subgroups));
  return run_key_of({{"version", SEQUELA_VERSION},
                     {"inputs", inputs},
                     {"bootstraps", options.num_bootstraps},
                     {"seed", options.seed},
                     {"zone", zone_rule_name(options.zone_rule)}});
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
void write_all(const std::string& folder, const std::string& run_key, const Files& files,
               const Json& summary) {
  std::vector<std::string> names;
  try {
    for (const auto& [name, content] : files) {
      write_file(folder + "/" + name, content);
      names.push_back(name);
    }
    write_run_manifest(folder, run_key, names, summary);
  } catch (...) {
    for (const std::string& name : names) std::filesystem::remove(folder + "/" + name);
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
  const std::string run_key = evaluation_key(options);
  report.is_up_to_date = is_made_by_run(options.out, run_key);
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
  remove_files_of_run(options.out);
  write_all(options.out, run_key,
            {{"metrics.json", report.json},
             {"metrics.csv", to_csv(report.tasks)},
             {"curves.json", json_text(curves_json(tasks)) + "\n"},
             {"metrics.txt", report.text}},
            {{"num_tasks", report.tasks.size()}});
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace sequela
