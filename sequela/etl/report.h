#pragma once

#include "sequela/core/json.h"
#include "sequela/etl/convert.h"

namespace sequela {

// etl_report.json: rows in and events out by table, what was dropped and why, what was found.
Json report_json(const EtlPlan& plan, const ConvertReport& report);

}  // namespace sequela
