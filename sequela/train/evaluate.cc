#include "sequela/train/evaluate.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/step_exchange.h"

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

Figures measure(Trainable& model, const TrainMonitor& monitor, World& world) {
  Figures figures = model.validation_figures();
  succeed_together(world, "the yardsticks", [&] {
    if (!world.is_first()) return;
    try {
      for (Yardstick* yardstick : monitor.yardsticks) {
        const Figures own = yardstick->measure();
        figures.insert(figures.end(), own.begin(), own.end());
      }
    } catch (const Interrupted&) {
      // The signal stays set: the evaluation is done again when the run goes on.
    }
  });
  return figures_of_first(world, figures);
}

std::optional<double> selected_figure(const TrainMonitor& monitor, const Figures& figures) {
  if (monitor.selected.empty()) return std::nullopt;
  double selected = 0;
  for (const Figure& figure : figures) {
    if (figure.name == monitor.selected) selected = figure.value;
  }
  return selected;
}

}  // namespace sequela
