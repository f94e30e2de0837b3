#pragma once

#include "sequela/distributed/world.h"
#include "sequela/run/recipe.h"

namespace sequela {

// Refuses ranks that were started for different runs: ConfigError on all of them, which names the
// first rank that differs from the first one, and the version, option or input in which it does.
void check_same_run(World& world, const RunRecipe& recipe);

}  // namespace sequela
