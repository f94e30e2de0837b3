#pragma once

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// Adds the section of a comparison from compare.json of `compare`.
void add_comparison(const Json& comparison, Page& page);

}  // namespace sequela
