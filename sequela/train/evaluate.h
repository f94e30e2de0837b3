#pragma once

#include <optional>

#include "sequela/batch/motor_batches.h"
#include "sequela/distributed/world.h"
#include "sequela/model/motor.h"
#include "sequela/train/trainable.h"

namespace sequela {

// What mends a loss or gradient that is not finite, for messages.
inline constexpr const char* kDivergenceFix =
    "lower --learning-rate, or look for extreme values in that batch";

// Mean loss over all validation batches; NaN if there is none or a stop signal came before the
// first. DataError that names the batch if a loss is not finite.
double evaluate(Trainable& model);
double evaluate(Motor& model, const MotorBatches& batches);

// The figures of the model, of its last whole pass through them, and of the monitor's yardsticks,
// which the first rank asks: the same on all ranks.
Figures measure(Trainable& model, const TrainMonitor& monitor, World& world);

// The figure that picks the best checkpoint: 0 if it was not measured; none if the loss picks it.
std::optional<double> selected_figure(const TrainMonitor& monitor, const Figures& figures);

}  // namespace sequela
