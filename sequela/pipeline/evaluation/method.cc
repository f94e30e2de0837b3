#include "sequela/pipeline/evaluation/method.h"

#include <stdexcept>

namespace sequela {

std::string Method::why_not(const LabelTask& task) const {
  return task.is_survival() ? "it tells no times to an event" : "";
}

SurvivalScores Method::predict_survival(const LabelTask& /*task*/, const LearningRows& /*rows*/,
                                        const std::vector<double>& /*horizons*/) {
  throw std::logic_error(name_ + " tells no times to an event");
}

}  // namespace sequela
