#pragma once

#include <string>
#include <vector>

#include "sequela/etl/duckdb.h"
#include "sequela/etl/plan.h"

namespace sequela {

// The names that `--from` takes beside a file of MESSY and a PostgreSQL address.
const std::vector<std::string>& source_names();

// All forms of `--from`, for helps: "fhir, omop, ...; postgresql://...; or a MESSY file ...".
std::string source_forms();

// Reads what is needed of a source (headers, types) and plans it. `from` is a source's name or an
// event_configs.yaml; `folder` holds its tables. Throws ConfigError (an unknown name), DataError.
EtlPlan plan_source(DuckDb& db, const std::string& from, const std::string& folder);

}  // namespace sequela
