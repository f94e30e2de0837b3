#pragma once

#include <string>

#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/evaluation/method.h"
#include "sequela/pipeline/finetuning/classifier_training.h"

namespace sequela {

// The bundle fine-tuned on a task's labels as `sequela finetune` does it, with its defaults. The
// tuned bundle stays in <out>/tuned/<task>/<method>, its checkpoints beside it until it is done.
class FinetunedModel : public Method {
 public:
  FinetunedModel(const EvaluateMethodsOptions& options, std::string name, Tuning tuning);
  bool learns_from_few() const override { return false; }
  // Of a label without a history: the share of positives among the train rows.
  std::vector<double> predict(const LabelTask& task, const LearningRows& rows) override;
  void describe(const LabelTask& task, RunRecipe& recipe) const override;

 private:
  const EvaluateMethodsOptions& options_;
  const Tuning tuning_;
};

}  // namespace sequela
