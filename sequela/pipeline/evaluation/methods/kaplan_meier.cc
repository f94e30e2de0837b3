#include "sequela/pipeline/evaluation/methods/kaplan_meier.h"

#include <stdexcept>

#include "sequela/evaluation/survival_curves.h"

namespace sequela {

std::string KaplanMeierMethod::why_not(const LabelTask& task) const {
  return task.is_survival() ? "" : "it is of times to an event alone";
}

std::vector<double> KaplanMeierMethod::predict(const LabelTask& /*task*/,
                                               const LearningRows& /*rows*/) {
  throw std::logic_error("Kaplan-Meier's curve is of times to an event");
}

SurvivalScores KaplanMeierMethod::predict_survival(const LabelTask& task, const LearningRows& rows,
                                                   const std::vector<double>& horizons) {
  std::vector<double> days;
  std::vector<uint8_t> kinds;
  for (const int64_t row : rows.train) {
    days.push_back(task.days[row]);
    kinds.push_back(task.ends[row] == static_cast<uint8_t>(FollowUpEnd::event));
  }
  const StepCurve curve = kaplan_meier({days, kinds}, order_by_time(days));
  SurvivalScores scores{
      .method = name(), .scores = std::vector<double>(task.test.size()), .survival = {}};
  for (size_t i = 0; i < task.test.size(); ++i) {
    for (const double day : horizons) scores.survival.push_back(curve.at(day));
  }
  return scores;
}

}  // namespace sequela
