#pragma once

#include <span>

#include "sequela/pipeline/evaluation/label_features.h"

namespace sequela {

// The weights that a bundle's model is run with: its own, or a fresh draw for the same shape, as
// pretraining draws it.
enum class MotorWeights : uint8_t { bundle, random };

// Embeddings of the labels by the options' bundle and read-out, as `sequela features` has them.
DenseFeatures motor_features(const EvaluateMethodsOptions& options,
                             const EvaluationRecords& records, std::span<const Label> labels,
                             MotorWeights weights);

}  // namespace sequela
