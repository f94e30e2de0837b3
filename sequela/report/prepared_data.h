#pragma once

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// Adds the section of what `prepare` made, from its coverage.json: what the data hold, what was
// kept, what was skipped and why.
void add_prepared_data(const Json& coverage, Page& page);

}  // namespace sequela
