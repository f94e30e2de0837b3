#pragma once

#include <string>

#include "sequela/core/json.h"

namespace sequela {

// The method of a task that is better than every other one by a metric, as the paired differences
// say: on the rows that both have, with p (after Holm's correction, where there is one) below 0.05.
// Empty if there is none, if a difference to one is missing, or if the task has one method alone.
std::string best_method(const Json& task, const std::string& metric);

}  // namespace sequela
