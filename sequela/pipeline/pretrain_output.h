#pragma once

#include "sequela/objective/objective.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/run/fingerprints.h"
#include "sequela/run/recipe.h"

namespace sequela {

// What a finished run leaves: the bundle in options.model, and in options.out, if that is kept, the
// final weights beside checkpoints and logs; else these are taken away.
void write_pretrained(const PretrainOptions& options, const Objective& objective,
                      const RunRecipe& recipe, Motor& model, const TrainReport& report,
                      Fingerprints& fingerprints);

}  // namespace sequela
