#pragma once

#include <string>

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// Adds the section of a cohort from cohort.json of `label`: who fell out where and why.
void add_cohort(const Json& cohort, const std::string& name, Page& page);

}  // namespace sequela
