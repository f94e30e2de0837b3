#pragma once

#include <string>

#include "sequela/core/json.h"

namespace sequela {

// What a bundle's manifest keeps for its card; what is not there is left out. Of the data that
// prepare made in a folder: {"data": counts, "split": what decided the sides}.
Json prepared_facts(const std::string& folder);
// Of a training run's output folder: {"evaluation": figures of the best one}.
Json evaluation_facts(const std::string& folder);

}  // namespace sequela
