#pragma once

#include <string>
#include <vector>

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
  bool keeps_all = false;  // as OntologyOptions
};
Ontology read_ontology_of(const OntologySource& source, const std::vector<std::string>& codes,
                          const std::vector<int64_t>& counts);

// The ontology a model was trained with, made to cover another data set: every code of the data is
// a node. A code that the model's ontology lacks keeps the parents that the data's codes.parquet
// (may be empty) gives it, as far as those are nodes.
Ontology extend_to_data(const Ontology& ontology, const std::vector<std::string>& codes,
                        const std::string& codes_parquet);

// The ontology that a bundle's tokenizer goes by: the one given, or the bundle's own.
struct BundleOntology {
  std::string model;     // folder of the bundle
  std::string ontology;  // Parquet; goes before all others
  std::string athena;    // Athena download or Parquet; goes before the bundle's own
  std::string codes_parquet;
  std::string scratch_folder;
  int num_threads = 1;

  // For data whose codes are known. ConfigError if there is none.
  Ontology read(const std::vector<std::string>& codes, const std::vector<int64_t>& counts) const;
  // For data that are yet to come: with all codes of codes_parquet and of an Athena download.
  Ontology read_for_any_data() const;

 private:
  Ontology find(const std::vector<std::string>& codes, const std::vector<int64_t>& counts,
                bool keeps_all) const;
};

}  // namespace sequela
