#include "sequela/pipeline/evaluate_methods.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/stopwatch.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/evaluation/data_facts.h"
#include "sequela/pipeline/evaluation/embedding_map.h"
#include "sequela/pipeline/evaluation/few_shot_curve.h"
#include "sequela/pipeline/evaluation/leaks/leak_check.h"
#include "sequela/pipeline/evaluation/methods.h"
#include "sequela/pipeline/evaluation/outputs.h"
#include "sequela/pipeline/evaluation/scored_task.h"
#include "sequela/pipeline/evaluation/survival_run.h"
#include "sequela/pipeline/evaluation/task_files.h"
#include "sequela/run/folder_lock.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class MethodsRun {
 public:
  explicit MethodsRun(const EvaluateMethodsOptions& options)
      : options_(options),
        fingerprints_({options.fingerprint_cache, options.num_threads}),
        recipe_(methods_recipe(options, fingerprints_)),
        manifest_(options.out, fingerprints_) {}

  EvaluateReport run() {
    if (manifest_.is_up_to_date(recipe_)) return read_evaluation(options_.out);
    const FolderLock lock(options_.out);
    manifest_.reload();  // another run may just have ended
    std::vector<NamedFile> files = find_task_files(options_);
    const EvaluationRecords records(options_);
    const SubjectParts parts(options_.meds, options_.splits, options_.seed, options_.zone_rule);
    for (const NamedFile& file : files) {
      tasks_.push_back(read_label_task(file.task, file.path, parts, records.store(),
                                       {options_.zone_rule, options_.max_labels, options_.seed}));
    }
    const std::vector<Label> labels = join_labels(tasks_);
    const std::vector<LeakResult> leaks = check_leaks(options_, records, tasks_);
    report_leaks(leaks, options_.leaks);
    methods_ = make_methods(options_, records, labels, tasks_, parts);
    EvaluationFacts facts{.data = data_facts(records.store(), parts),
                          .model = model_facts(options_.model),
                          .leaks = to_json(leaks)};
    EvaluationText text{.head = to_text(leaks)};
    if (options_.subgroups.empty()) text.subgroups = SubgroupRows::hidden;
    add_method_facts(&facts);
    const std::vector<LabelTask> survival_tasks = take_survival_tasks(&files);
    std::vector<BinaryTask> scored = open_tasks(records);
    add_survival(survival_tasks, &facts, &text);
    score_tasks(files, &scored);
    add_task_facts(&facts);
    add_few_shot(scored, &facts);
    EvaluateReport report;
    write_evaluation(options_, scored, facts, text, recipe_, manifest_, &report);
    return report;
  }

 private:
  // The tasks with all that is given: subgroups, predictions from outside, and the methods, without
  // scores yet. So what is wrong with it is told before anything is learned.
  std::vector<BinaryTask> open_tasks(const EvaluationRecords& records) const {
    std::vector<BinaryTask> scored;
    for (const LabelTask& task : tasks_) {
      scored.push_back(to_binary_task(task));
      for (const auto& method : methods_) {
        const std::string why_not = method->why_not(task);
        if (why_not.empty()) {
          scored.back().methods.push_back({.name = method->name()});
        } else {
          log_warning(str(task.name, ": without ", method->name(), ": ", why_not));
        }
      }
    }
    add_outside_predictions(options_, tasks_, &scored);
    add_task_subgroups(options_, records, tasks_, &scored);
    return scored;
  }

  // Predictions of all methods, which stand first in each task.
  void score_tasks(const std::vector<NamedFile>& files, std::vector<BinaryTask>* scored) {
    for (size_t t = 0; t < tasks_.size(); ++t) {
      size_t place = 0;
      for (const auto& method : methods_) {
        if (!method->why_not(tasks_[t]).empty()) continue;
        set_scores(tasks_[t], predict(tasks_[t], files[t], *method),
                   &(*scored)[t].methods[place++]);
      }
    }
  }

  // A method's probabilities of a task's test rows, from its file if that is up to date.
  std::vector<double> predict(const LabelTask& task, const NamedFile& file, Method& method) {
    throw_if_stopped();
    const RunRecipe recipe =
        prediction_recipe(options_, recipe_, task, file, method, fingerprints_);
    const std::string path = options_.out + "/" + recipe.artifact;
    if (manifest_.why_stale(recipe).empty()) return read_task_predictions(task, path);
    log_info(str(task.name, ": ", method.name()));
    std::vector<double> probabilities = method.predict(task, {task.train, task.validation});
    fs::create_directories(fs::path(path).parent_path());
    write_task_predictions(task, probabilities, path);
    manifest_.record(recipe, {{"num_rows", probabilities.size()}});
    return probabilities;
  }

  // Tasks of times to an event have figures of their own. Takes them away, with their files.
  std::vector<LabelTask> take_survival_tasks(std::vector<NamedFile>* files) {
    std::vector<LabelTask> survival, binary;
    std::vector<NamedFile> binary_files;
    for (size_t t = 0; t < tasks_.size(); ++t) {
      if (!tasks_[t].is_survival()) binary_files.push_back((*files)[t]);
      (tasks_[t].is_survival() ? survival : binary).push_back(std::move(tasks_[t]));
    }
    tasks_ = std::move(binary);
    *files = std::move(binary_files);
    return survival;
  }

  void add_survival(const std::vector<LabelTask>& tasks, EvaluationFacts* facts,
                    EvaluationText* text) const {
    std::vector<SurvivalReport> reports;
    for (const LabelTask& task : tasks) {
      log_info(str(task.name, ": times to an event"));
      reports.push_back(evaluate_survival_task(score_survival_task(task, method_list(), options_),
                                               {.num_resamples = options_.num_bootstraps,
                                                .seed = options_.seed,
                                                .num_threads = options_.num_threads}));
    }
    adjust_p_values(reports);
    for (size_t i = 0; i < reports.size(); ++i) {
      facts->survival.push_back(to_json(reports[i], tasks[i]));
      text->csv += to_csv(reports[i]);
    }
    text->foot = to_text(reports);
  }

  std::vector<Method*> method_list() const {
    std::vector<Method*> methods;
    for (const auto& method : methods_) methods.push_back(method.get());
    return methods;
  }

  void add_method_facts(EvaluationFacts* facts) const {
    facts->methods = Json::array();
    for (const auto& method : methods_) {
      facts->methods.push_back({{"method", method->name()},
                                {"title", method->title()},
                                {"learns", method->learns()},
                                {"has_few_shot", method->learns_from_few()}});
      for (const LabelTask& task : tasks_) {
        const std::string why_not = method->why_not(task);
        if (!why_not.empty()) facts->methods.back()["why_not"][task.name] = why_not;
      }
    }
  }

  void add_task_facts(EvaluationFacts* facts) const {
    for (const LabelTask& task : tasks_) {
      facts->sides.push_back(sides_json(task));
      facts->maps.push_back(embedding_map(task, methods_, options_.seed));
    }
  }

  void add_few_shot(const std::vector<BinaryTask>& scored, EvaluationFacts* facts) {
    const std::vector<Method*> methods = method_list();
    std::vector<FewShotCurve> curves;
    for (size_t t = 0; t < tasks_.size(); ++t)
      curves.push_back(find_few_shot_curve(tasks_[t], methods, scored[t], options_));
    adjust_few_shot_p_values(curves);
    for (const FewShotCurve& curve : curves) facts->few_shot.push_back(to_json(curve, options_));
  }

  const EvaluateMethodsOptions& options_;
  Fingerprints fingerprints_;
  const RunRecipe recipe_;
  Manifest manifest_;
  std::vector<LabelTask> tasks_;
  std::vector<std::unique_ptr<Method>> methods_;
};

}  // namespace

EvaluateReport evaluate_methods(const EvaluateMethodsOptions& options) {
  options.validate();
  const TorchThreads threads(options.num_threads);
  const Stopwatch watch;
  EvaluateReport report = MethodsRun(options).run();
  report.seconds = watch.seconds();
  return report;
}

}  // namespace sequela
