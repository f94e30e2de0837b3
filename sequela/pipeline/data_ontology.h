#pragma once

#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/meds/event_store.h"
#include "sequela/ontology/ontology.h"

namespace sequela {

// Reads an ontology from Parquet: Sequela's own form (with in_data and count), or code, description
// and parent_codes alone.
Ontology read_any_ontology(const std::string& path);

// An Athena download, or an ontology in Parquet, for a data set's codes.
struct OntologySource {
  std::string path;
  std::string codes_parquet;   // of the data set; empty = none
  std::string scratch_folder;  // for unpacking
  int num_threads = 1;
};
Ontology read_ontology_of(const OntologySource& source, const std::vector<std::string>& codes,
                          const std::vector<int64_t>& counts);

// For a run's key: what the path holds, file by file. Empty for an empty path.
Json ontology_key(const std::string& path);

// The ontology a model was trained with, made to cover another data set: every code of the data is
// a node. A code that the model's ontology lacks keeps the parents that the data's codes.parquet
// (may be empty) gives it, as far as those are nodes.
Ontology extend_to_data(const Ontology& ontology, const EventStore& store,
                        const std::string& codes_parquet);

}  // namespace sequela
