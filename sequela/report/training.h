#pragma once

#include <string>

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// Adds a training run's section from its metrics.json (docs/formats.md): losses, gain per event,
// what its yardsticks measured, the optimizer's health, throughput. `name` tells runs apart.
void add_training(const Json& metrics, const std::string& name, Page& page);

}  // namespace sequela
