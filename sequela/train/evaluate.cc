#include "sequela/train/evaluate.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/train/motor_training.h"

namespace sequela {

double evaluate(Trainable& model) {
  const int64_t num_batches = model.num_batches(TrainPart::validation);
  if (num_batches == 0) return std::nan("");
  PassPlan plan{TrainPart::validation, std::vector<int64_t>(num_batches)};
  std::iota(plan.batches.begin(), plan.batches.end(), 0);
  const std::unique_ptr<BatchPass> pass = model.start_pass(std::move(plan));
  Progress progress("validate", num_batches, "batches");
  std::vector<at::Tensor> losses;
  while (stop_signal() == 0) {
    const auto loss = pass->next(std::nullopt);
    if (!loss) break;
    losses.push_back(loss->loss);
    progress.advance(1);
  }
  double sum = 0;
  for (size_t i = 0; i < losses.size(); ++i) {
    const double loss = losses[i].item<double>();
    if (!std::isfinite(loss)) {
      throw DataError({}, str("the loss of validation batch ", i, " is not finite"),
                      kDivergenceFix);
    }
    sum += loss;
  }
  return losses.empty() ? std::nan("") : sum / static_cast<double>(losses.size());
}

double evaluate(Motor& model, const MotorBatches& batches) {
  MotorTraining training(model, nullptr, &batches);
  return evaluate(training);
}

}  // namespace sequela
