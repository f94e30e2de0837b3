#pragma once

#include "sequela/pipeline/evaluation/method.h"

namespace sequela {

// Of times to an event: Kaplan-Meier's curve of the train rows, the same for every row. What a
// model adds is what it has beyond that.
class KaplanMeierMethod : public Method {
 public:
  KaplanMeierMethod() : Method("kaplan_meier", "Kaplan-Meier's curve of the train labels") {}
  std::string why_not(const LabelTask& task) const override;
  bool learns_from_few() const override { return false; }
  std::vector<double> predict(const LabelTask& task, const LearningRows& rows) override;
  SurvivalScores predict_survival(const LabelTask& task, const LearningRows& rows,
                                  const std::vector<double>& horizons) override;
};

}  // namespace sequela
