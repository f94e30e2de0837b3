#pragma once

#include <string>
#include <vector>

#include "sequela/etl/duckdb.h"
#include "sequela/etl/messy/messy_file.h"
#include "sequela/etl/plan.h"

namespace sequela {

// The name under which an event's own rows are its metadata table.
inline constexpr const char* kSelfMetadata = "_self";

// The columns that an event's code is made of: what its metadata are joined by.
std::vector<std::string> component_names(const MessyEvent& event);

// Adds where descriptions and parents of an event's codes come from. Outputs of a metadata table
// that are named like a component are its keys. A block's components reach SQL as one text, in the
// order of component_names(), then the outputs of "_self": separated by chr(31), chr(30) for null.
// A metadata table that is missing is noted. ConfigError for a column that it lacks, or no key.
void add_messy_codes(DuckDb& db, const std::string& path, const std::string& folder,
                     const MessyEvent& event, int32_t block, EtlPlan* plan);

}  // namespace sequela
