#include "sequela/objective/motor/motor_objective.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "sequela/batch/motor_targets.h"
#include "sequela/objective/motor/concordance_yardstick.h"
#include "sequela/objective/motor/gain.h"
#include "sequela/objective/motor/truth_yardstick.h"
#include "sequela/task/motor_task.h"
#include "sequela/train/motor_training.h"

namespace sequela {
namespace {

constexpr const char* kCellSums = "train_cells.safetensors";

// What is measured in each pass through the validation batches.
struct MotorYardsticks {
  std::unique_ptr<GainYardstick> gain;
  std::unique_ptr<ConcordanceYardstick> concordance;
  std::unique_ptr<TruthYardstick> truth;

  explicit MotorYardsticks(const ObjectiveRun& run) {
    if (run.validation_batches.num_batches() == 0) return;
    const MotorHeadConfig& head = *run.model.config().motor;
    std::vector<std::string> codes;
    for (const MotorHeadConfig::Task& task : head.tasks) codes.push_back(task.code);
    const CellSums train =
        sum_cells_once(run.work_folder + "/" + kCellSums, run.data_key, run.train_batches,
                       head.time_bins, head.num_tasks(), run.num_threads);
    const CellSums valid =
        sum_cells(run.validation_batches, head.time_bins, head.num_tasks(), run.num_threads);
    gain = std::make_unique<GainYardstick>(codes, train, valid);
    concordance = std::make_unique<ConcordanceYardstick>(codes, head.time_bins, train,
                                                         valid.num_labels, run.num_threads);
    if (run.truth.empty()) return;
    truth = std::make_unique<TruthYardstick>(run.truth, codes, head.time_bins, run.train_batches,
                                             run.num_threads);
  }

  std::vector<ValidationYardstick*> all() const {
    if (!gain) return {};
    std::vector<ValidationYardstick*> list = {gain.get(), concordance.get()};
    if (truth) list.push_back(truth.get());
    return list;
  }
};

// The yardsticks are made before the training that refers to them.
class WatchedMotorTraining : private MotorYardsticks, public MotorTraining {
 public:
  explicit WatchedMotorTraining(const ObjectiveRun& run)
      : MotorYardsticks(run),
        MotorTraining(run.model, &run.train_batches, &run.validation_batches, all()) {
    if (run.tokens_per_pass > 0) set_tokens_per_pass(run.tokens_per_pass);
  }
};

}  // namespace

void MotorObjective::fit(const ObjectiveRecords& records, const Json& values, int num_threads,
                         const std::string& task_path) const {
  MotorTaskOptions options;
  options.num_tasks = values.at("num-tasks").get<int32_t>();
  options.num_value_tasks = values.at("value-tasks").get<int32_t>();
  options.num_bins = values.at("num-bins").get<int32_t>();
  options.final_layer_size = values.at("final-layer-size").get<int32_t>();
  options.min_fraction = values.at("task-min-fraction").get<double>();
  options.num_threads = num_threads;
  fit_motor_task(records.store, records.ontology, records.vocabulary, records.sides, options)
      .write(task_path);
}

Json MotorObjective::describe(const std::string& task_path) const {
  const MotorTask task = MotorTask::read(task_path);
  return {{"tasks", static_cast<int64_t>(task.tasks.size())}, {"bins", task.num_bins()}};
}

std::unique_ptr<TargetRule> MotorObjective::targets(const ObjectiveRecords& records,
                                                    const std::string& task_path) const {
  const MotorTask task = MotorTask::read(task_path);
  return std::make_unique<MotorTargetRule>(
      tasks_of_targets(records.store, records.ontology, {task.tasks.begin(), task.tasks.end()}),
      static_cast<int32_t>(task.tasks.size()));
}

void MotorObjective::add_head(const std::string& task_path, ModelConfig& config) const {
  const MotorTask task = MotorTask::read(task_path);
  MotorHeadConfig head;
  for (const MotorTask::Entry& entry : task.tasks) {
    head.tasks.push_back(
        {entry.name(), entry.rate, entry.n_censored, entry.n_events, entry.mean_time});
  }
  head.time_bins = task.time_bins;
  head.final_layer_size = task.final_layer_size;
  config.motor = std::move(head);
}

std::unique_ptr<Trainable> MotorObjective::training(const ObjectiveRun& run) const {
  return std::make_unique<WatchedMotorTraining>(run);
}

std::vector<std::string> MotorObjective::notes() const {
  return {kCellSums};
}

}  // namespace sequela
