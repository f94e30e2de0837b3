#include "sequela/pipeline/evaluation/outputs.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "sequela/core/log.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/report.h"

namespace sequela {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;  // name, content

std::string page_of(const std::string& out) {
  return out + "/report.html";
}

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

void write_evaluation(const EvaluateOptions& options, const std::vector<BinaryTask>& tasks,
                      const EvaluationFacts& facts, const EvaluationText& text, RunRecipe recipe,
                      Manifest& manifest, EvaluateReport* report) {
  std::filesystem::remove(page_of(options.out));  // of other inputs
  report->tasks = evaluate_tasks(tasks, options);
  Json metrics = {{"bootstraps", options.num_bootstraps}, {"seed", options.seed}, {"level", 0.95}};
  metrics.update(to_json(report->tasks));
  report->json = json_text(metrics) + "\n";
  report->text = text.head + to_text(report->tasks, text.subgroups) + text.foot;
  const std::string all =
      json_text(evaluation_json(options, recipe, tasks, report->tasks, facts), 1) + "\n";
  write_all(options.out, recipe, manifest,
            {{"metrics.json", report->json},
             {"metrics.csv", to_csv(report->tasks) + text.csv},
             {"curves.json", json_text(curves_json(tasks)) + "\n"},
             {"evaluation.json", all},
             {"metrics.txt", report->text}},
            {{"num_tasks", report->tasks.size() + facts.survival.size()}});
  sequela::report({.runs = {options.out}});
}

EvaluateReport read_evaluation(const std::string& out) {
  EvaluateReport report;
  report.is_up_to_date = true;
  report.text = read_file(out + "/metrics.txt");
  report.json = read_file(out + "/metrics.json");
  if (!std::filesystem::exists(page_of(out))) sequela::report({.runs = {out}});
  return report;
}

}  // namespace sequela
