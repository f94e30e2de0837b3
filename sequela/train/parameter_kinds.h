#pragma once

#include <vector>

#include "sequela/model/encoder_config.h"
#include "sequela/nn/parameters.h"
#include "sequela/train/optimizer_health.h"

namespace sequela {

// The kinds of a model's parameters, and which are matrices: norms, embedding, hawk,
// attention, feed_forward, head, low_rank.
std::vector<ParameterPart> kinds_of(const ModelConfig& config, const Parameters& parameters);

}  // namespace sequela
