#pragma once

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// Adds what an evaluation says (docs/formats.md, evaluation.json): the data in one line and the
// methods in one table on top, then a section a task, the leaks that were looked for, and the data.
void add_evaluation(const Json& evaluation, Page& page);

// evaluation.json's form of what older evaluations wrote: metrics.json, and curves.json (null =
// none).
Json to_evaluation(const Json& metrics, const Json& curves);

}  // namespace sequela
