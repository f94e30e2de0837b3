#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/ontology/ontology.h"

namespace sequela {

struct VocabularySummary {
  std::string vocabulary;
  int64_t num_nodes = 0;
  int64_t num_in_data = 0;
  int64_t num_events = 0;
};

// An ontology at a glance.
struct OntologySummary {
  int64_t num_nodes = 0;
  int64_t num_in_data = 0;
  int64_t num_edges = 0;
  int64_t num_roots = 0;        // without parents
  int32_t max_depth = 0;        // edges on the longest way up
  double mean_all_parents = 0;  // of the nodes in the data, each counted with itself
  std::vector<VocabularySummary> vocabularies;  // most nodes first, then by name
};

OntologySummary summarize(const Ontology& ontology);

}  // namespace sequela
