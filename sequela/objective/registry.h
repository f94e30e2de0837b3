#pragma once

#include <span>
#include <string>

#include "sequela/objective/objective.h"

namespace sequela {

// All objectives of the backbone, the default first.
std::span<const Objective* const> objectives();

const Objective& find_objective(const std::string& name);  // ConfigError
std::string objective_names(const char* between);          // "motor|clmbr"

// The one that a folder of `prepare` was made for, told by its task file. FileError if there is
// none.
const Objective& prepared_objective(const std::string& data);

}  // namespace sequela
