#include "sequela/objective/clmbr/clmbr_objective.h"

#include <nlohmann/json.hpp>

#include "sequela/objective/clmbr/clmbr_task.h"
#include "sequela/objective/clmbr/clmbr_training.h"
#include "sequela/objective/clmbr/next_code.h"

namespace sequela {
namespace {

constexpr const char* kVocabSize = "clmbr-vocab-size";

}  // namespace

std::vector<ObjectiveOption> ClmbrObjective::options() const {
  return {{kVocabSize,
           "Entries of the dictionary, from the first, that are predicted as next codes", 8'192, 1,
           65'536}};
}

void ClmbrObjective::fit(const ObjectiveRecords& records, const Json& values, int num_threads,
                         const std::string& task_path) const {
  fit_clmbr_task(records, values.at(kVocabSize).get<int64_t>(), num_threads).write(task_path);
}

Json ClmbrObjective::describe(const std::string& task_path) const {
  const ClmbrTask task = ClmbrTask::read(task_path);
  return {{"codes_to_predict", task.vocab_size}, {"labels_on_train_side", task.num_labels()}};
}

std::unique_ptr<TargetRule> ClmbrObjective::targets(const ObjectiveRecords& records,
                                                    const std::string& task_path) const {
  return std::make_unique<NextCodeRule>(NextCodes(records, ClmbrTask::read(task_path).vocab_size));
}

void ClmbrObjective::add_head(const std::string& task_path, ModelConfig& config) const {
  config.clmbr_vocab_size = ClmbrTask::read(task_path).vocab_size;
}

std::unique_ptr<Trainable> ClmbrObjective::training(const ObjectiveRun& run) const {
  return std::make_unique<ClmbrTraining>(run.model, &run.train_batches, &run.validation_batches,
                                         ClmbrTask::read(run.task_path));
}

}  // namespace sequela
