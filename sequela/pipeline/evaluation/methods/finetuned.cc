#include "sequela/pipeline/evaluation/methods/finetuned.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "sequela/core/interrupt.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/labels.h"
#include "sequela/meds/predictions.h"
#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/evaluation/task_files.h"
#include "sequela/pipeline/finetune.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// The sides by subject; one that is on both learns.
void write_subject_sides(const std::string& path, const LabelTask& task, const LearningRows& rows) {
  std::map<int64_t, std::string> sides;
  for (const int64_t row : rows.validation) sides[task.subject_ids[row]] = "tuning";
  for (const int64_t row : rows.train) sides[task.subject_ids[row]] = "train";
  std::vector<int64_t> subjects;
  std::vector<std::string> names;
  for (const auto& [subject, side] : sides) {
    subjects.push_back(subject);
    names.push_back(side);
  }
  write_parquet(path,
                {{.name = "subject_id", .values = subjects}, {.name = "split", .values = names}});
}

}  // namespace

FinetunedModel::FinetunedModel(const EvaluateMethodsOptions& options, std::string name,
                               Tuning tuning)
    : Method(std::move(name), tuning == Tuning::lora
                                  ? "the bundle fine-tuned by low-rank changes (LoRA)"
                                  : "the bundle fine-tuned end to end"),
      options_(options),
      tuning_(tuning) {}

void FinetunedModel::describe(const LabelTask& /*task*/, RunRecipe& recipe) const {
  recipe.set("tune", to_text(tuning_));
}

std::vector<double> FinetunedModel::predict(const LabelTask& task, const LearningRows& rows) {
  const std::string out = options_.out + "/tuned/" + to_file_name(task.name) + "/" + name();
  const std::string inputs = out + "_inputs";
  fs::create_directories(inputs);
  std::vector<int64_t> learned = rows.train;
  learned.insert(learned.end(), rows.validation.begin(), rows.validation.end());
  write_boolean_labels(inputs + "/learned.parquet", values_at(task.labels, learned));
  write_boolean_labels(inputs + "/test.parquet", values_at(task.labels, task.test));
  write_subject_sides(inputs + "/sides.parquet", task, rows);
  FinetuneOptions finetuning;
  finetuning.meds = options_.meds;
  finetuning.model = options_.model;
  finetuning.athena = options_.athena;
  finetuning.labels = inputs + "/learned.parquet";
  finetuning.task = task.name;
  finetuning.splits = inputs + "/sides.parquet";
  finetuning.out = out;
  finetuning.predict = inputs + "/test.parquet";
  finetuning.predictions = inputs + "/predictions.parquet";
  finetuning.tune = tuning_;
  finetuning.tokens_per_batch = options_.tokens_per_batch;
  finetuning.precision = options_.precision;
  finetuning.device = options_.device;
  finetuning.kernels = options_.kernels;
  finetuning.kernel_cache = options_.kernel_cache;
  finetuning.seed = options_.seed;
  finetuning.zone_rule = options_.zone_rule;
  finetuning.num_threads = options_.num_threads;
  finetuning.fingerprint_cache = options_.fingerprint_cache;
  finetuning.memory_bytes = options_.memory_bytes;
  const FinetuneReport report = finetune(finetuning);
  if (!report.is_up_to_date && !report.train.is_finished) throw_if_stopped();
  int64_t positive = 0;
  for (const int64_t row : rows.train) positive += task.outcomes[row];
  std::vector<double> scores(
      task.test.size(), static_cast<double>(positive) / static_cast<double>(rows.train.size()));
  const std::vector<Prediction> predictions = read_predictions(finetuning.predictions);
  for (size_t i = 0; i < task.test.size(); ++i) {
    const Label& label = task.labels[task.test[i]];
    const PredictionKey key{label.subject_id, label.prediction_time_us};
    const auto found = std::ranges::lower_bound(predictions, key, {}, &Prediction::key);
    if (found != predictions.end() && found->key == key) scores[i] = found->probability;
  }
  for (const std::string& folder : {inputs, out + "_output"}) fs::remove_all(folder);
  return scores;
}

}  // namespace sequela
