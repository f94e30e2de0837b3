#pragma once

#include <string>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/ontology/ontology.h"

namespace sequela {

// Reads an ontology from Parquet: Sequela's own form (parents) or an export of femr's
// (parent_codes).
Ontology read_any_ontology(const std::string& path);

// The ontology a model was trained with, made to cover another data set: every code of the data is
// a node. A code that the model's ontology lacks keeps the parents that the data's codes.parquet
// (may be empty) gives it, as far as those are nodes.
Ontology extend_to_data(const Ontology& ontology, const EventStore& store,
                        const std::string& codes_parquet);

}  // namespace sequela
