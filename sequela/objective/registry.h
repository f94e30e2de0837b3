#pragma once

#include <span>
#include <string>
#include <vector>

#include "sequela/objective/objective.h"
#include "sequela/objective/record_objective.h"

namespace sequela {

// All objectives of the backbone, the default first.
std::span<const Objective* const> objectives();

const Objective& find_objective(const std::string& name);  // ConfigError
std::string objective_names(const char* between);          // "motor|clmbr"

// All objectives of encoders that learn from records as they are.
std::span<const RecordObjective* const> record_objectives();

// Of both kinds, those of the backbone first.
std::vector<const NamedObjective*> all_objectives();
// "motor|clmbr|mlm"; with `last` before the last one, if it is given.
std::string all_objective_names(const std::string& between, const std::string& last = "");

// The one that a folder of `prepare` was made for, told by its task file. FileError if there is
// none.
const Objective& prepared_objective(const std::string& data);

}  // namespace sequela
