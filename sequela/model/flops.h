#pragma once

#include "sequela/model/encoder_config.h"

namespace sequela {

// Floating-point operations of a training step (forward and backward) per token of the matrix
// products and attention, at full sequences; 10 % of the tokens are taken as labelled. Of
// objectives' heads MOTOR's alone is counted.
double training_flops_per_token(const ModelConfig& config);

}  // namespace sequela
