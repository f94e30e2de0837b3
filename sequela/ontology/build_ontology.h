#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/ontology/athena.h"
#include "sequela/ontology/ontology.h"

namespace sequela {

struct OntologyOptions {
  std::string athena;         // an Athena download (ontology/athena_files.h); empty = none
  std::string codes_parquet;  // MEDS' metadata/codes.parquet; empty = none
  // Vocabularies of which only codes that occur in the data are kept.
  std::vector<std::string> remove_vocabularies = {"SPL", "HemOnc"};
  int num_threads = 0;         // 0 = all
  std::string scratch_folder;  // for unpacking; empty = the system's for temporary files
  // Keeps the codes that the data lack too, but those of the vocabularies above: for data that are
  // yet to come. Some gigabytes for a full download.
  bool keeps_all = false;

  void validate() const;  // ConfigError
};

struct VocabularyStats {
  std::string vocabulary;
  int64_t num_in_data = 0;  // of the kept ones: those that occur in the data
  int64_t num_kept = 0;
  int64_t num_dropped = 0;
};

struct OntologyStats {
  AthenaStats athena;
  int64_t num_metadata_rows = 0;          // of codes.parquet
  int64_t num_metadata_descriptions = 0;  // descriptions set by it
  int64_t num_metadata_parents = 0;       // codes whose parents it set
  int64_t num_broken_cycles = 0;
  std::vector<VocabularyStats> vocabularies;  // ascending by name
};

// The text before the first '/', all of it if there is none.
std::string_view vocabulary_of(std::string_view code);
// The same for tables and figures: "none" if there is no '/'.
std::string_view shown_vocabulary_of(std::string_view code);

// The ontology of a data set (docs/design.md, section 3): the codes of the data and their ancestors
// in the Athena download with codes.parquet laid over it, without ancestors whose vocabulary is
// removed (an edge to such a one is not bridged). `codes` are the distinct codes of the data,
// `counts` their events. Reads the Athena files in one stream and never builds the part of the
// graph that the data does not reach; the same input gives the same ontology, whatever the order of
// its rows. `stats` may be null. Throws DataError (files), ConfigError (options),
// std::invalid_argument (codes and counts of unequal number).
Ontology build_ontology(const OntologyOptions& options, const std::vector<std::string>& codes,
                        const std::vector<int64_t>& counts, OntologyStats* stats);

// The whole graph, before anything is dropped: every concept is a node. Some gigabytes for a full
// download.
Ontology build_full_ontology(const OntologyOptions& options, OntologyStats* stats);

// How much of a data set an ontology knows. A code is described if it has a description, which
// every concept of Athena has.
struct OntologyCoverage {
  int64_t num_codes = 0;  // that occur in the data
  int64_t num_codes_described = 0;
  int64_t num_codes_with_parent = 0;
  int64_t num_events = 0;
  int64_t num_events_described = 0;
  int64_t num_events_with_parent = 0;
};

OntologyCoverage measure_coverage(const Ontology& ontology);

}  // namespace sequela
