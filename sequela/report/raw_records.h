#pragma once

#include <string>

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// Adds the section of raw records from etl_report.json of `etl`: rows in, events out, what was
// dropped and what was found, with keys of where.
void add_raw_records(const Json& ledger, const std::string& name, Page& page);

}  // namespace sequela
