#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/evaluation/method.h"

namespace sequela {

// Whose hazard answers a task.
struct HazardOfTask {
  std::string task;  // empty = of every task that is not named
  std::string code;
  double days = 0;  // the horizon; 0 = not said
};

// "TASK=CODE@DAYS", and with less; ConfigError.
HazardOfTask parse_hazard(const std::string& argument);

// The pretrained model's own answer, nothing trained: the risk that its code comes within a
// horizon (features/event_risk.h), from the hidden states in the first columns of the embeddings.
class MotorHazards : public Method {
 public:
  // ConfigError for a code that is none of the bundle's tasks, or several.
  MotorHazards(const EvaluateMethodsOptions& options,
               std::shared_ptr<Lazy<DenseFeatures>> embeddings);

  std::string why_not(const LabelTask& task) const override;
  bool learns() const override { return false; }
  // Of a label without a history: the share of positives among the train rows.
  std::vector<double> predict(const LabelTask& task, const LearningRows& rows) override;
  SurvivalScores predict_survival(const LabelTask& task, const LearningRows& rows,
                                  const std::vector<double>& horizons) override;
  void describe(const LabelTask& task, RunRecipe& recipe) const override;

  // The risk by each horizon in days, [rows][horizons]; NaN of a row without a history.
  std::vector<double> risks(const LabelTask& task, const std::vector<int64_t>& rows,
                            const std::vector<double>& horizons);

 private:
  const HazardOfTask* find(const LabelTask& task) const;

  const std::string model_;
  std::map<std::string, HazardOfTask> hazards_;  // by task
  std::map<std::string, int64_t> places_;        // of a code among the bundle's tasks
  const std::shared_ptr<Lazy<DenseFeatures>> embeddings_;
};

}  // namespace sequela
