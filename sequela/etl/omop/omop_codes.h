#pragma once

#include <optional>
#include <string>

#include "sequela/etl/duckdb.h"
#include "sequela/etl/plan.h"
#include "sequela/etl/source_table.h"

namespace sequela {

// Adds where the codes' descriptions and parents come from: a concept's name; its direct ancestors
// (CONCEPT_ANCESTOR, one level), what it is mapped to and what it is a kind of
// (CONCEPT_RELATIONSHIP), as far as CONCEPT has both ends and the relation is valid. Ancestors of
// ancestors have rows too, although no event has their code. Nothing without CONCEPT.
void add_omop_codes(DuckDb& db, const std::string& folder,
                    const std::optional<SourceTable>& concepts, EtlPlan* plan);

}  // namespace sequela
