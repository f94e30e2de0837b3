#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/text_table.h"
#include "sequela/ontology/concept_table.h"
#include "sequela/ontology/graph.h"
#include "sequela/ontology/tab_file.h"

namespace sequela {

// What was found in an Athena folder. Rows that name a concept id which CONCEPT.csv lacks are
// "dangling" and skipped: a real download has them where a vocabulary was not chosen. Of the
// relationships only "Maps to" rows between different ids count, of the ancestors only rows with
// min_levels_of_separation 1.
struct AthenaStats {
  int64_t num_concepts = 0;               // rows of CONCEPT.csv
  int64_t num_concepts_without_code = 0;  // vocabulary_id or concept_code is empty: skipped
  int64_t num_shared_codes = 0;           // rows whose code stood there under another concept id
  int64_t num_repeated_ids = 0;           // rows whose concept id stood there already
  int64_t num_maps_to = 0;                // parents from CONCEPT_RELATIONSHIP.csv
  int64_t num_ancestors = 0;              // parents from CONCEPT_ANCESTOR.csv
  int64_t num_self_parents = 0;           // rows that make a code its own parent: skipped
  int64_t num_dangling_relationships = 0;
  int64_t num_dangling_ancestors = 0;
  int64_t num_bytes = 0;  // of the three files
};

// The codes of an Athena vocabulary download and their direct parents (docs/design.md, section 3;
// femr/ontology.py). Concept ids of one code are one node; its description is the name of the
// smallest id, its parents are those of all. Does not depend on the order of the files' rows. Takes
// about 60 bytes a concept and 20 a parent; names stay on disk.
class AthenaGraph {
 public:
  AthenaGraph() = default;  // empty
  // Of an Athena download in any state (ontology/athena_files.h). DataError if a file or column is
  // missing, the separator is wrong, an id is no number, or there is no concept.
  static AthenaGraph read(const std::string& path, int num_threads,
                          const std::string& scratch_folder = "");

  int32_t num_nodes() const { return parents_.num_nodes(); }
  // The codes of the nodes 0 ... num_nodes() - 1; more may be added after them.
  const TextTable& codes() const { return codes_; }
  TextTable& codes() { return codes_; }
  // Empty if there is none. Reads the file; bytes that are not UTF-8 become U+FFFD.
  std::string description(int32_t node) const;
  std::span<const int32_t> parents(int32_t node) const { return parents_.of(node); }
  const AthenaStats& stats() const { return stats_; }

 private:
  // Where a node's name stands in CONCEPT.csv, and the concept id it comes from.
  struct Name {
    int64_t concept_id = 0;
    uint64_t offset = 0;
    uint32_t size = 0;
  };
  using Edge = std::pair<int32_t, int32_t>;  // child, parent
  struct ConceptPart;
  struct EdgeFile;
  struct EdgePart;

  void read_concepts(int num_threads);
  void add_concepts(const ConceptPart& part);
  void offer_name(int32_t node, const Name& name);
  void read_edges(MappedFile table, const EdgeFile& kind, int num_threads,
                  std::vector<Edge>& edges);
  void resolve(const EdgeFile& kind, EdgePart& part) const;
  void warn() const;
  std::string_view name_text(const Name& name) const {
    return concept_file_->text().substr(name.offset, name.size);
  }

  std::unique_ptr<TabFile> concept_file_;
  TextTable codes_;
  ConceptTable concepts_;
  std::vector<Name> names_;  // by node
  ParentLists parents_;
  AthenaStats stats_;
};

}  // namespace sequela
