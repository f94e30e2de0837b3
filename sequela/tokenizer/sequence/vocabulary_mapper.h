#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/ontology/graph.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/sequence/code_vocabulary.h"

namespace sequela {

// How a code found its id.
enum class MapStep { exact, normalised, mapped, ancestor, unknown };
inline constexpr int kNumMapSteps = 5;
const char* map_step_name(MapStep step);

struct CodeMatch {
  int32_t id = 0;  // unknown's id if there was no match
  MapStep step = MapStep::unknown;
};

struct MapperOptions {
  bool normalise = true;     // case, dots, prefixes such as "ICD10CM/"
  bool use_ontology = true;  // where there is one
  int max_levels = 0;        // of ancestors; 0 = all
};

// What became of the codes of a data set.
struct MappingReport {
  struct Row {
    std::string vocabulary;  // text before the first '/' or ':', "(none)" without one
    std::array<int64_t, kNumMapSteps> num_codes = {};
    std::array<int64_t, kNumMapSteps> num_events = {};
  };
  Row total;              // vocabulary "all"
  std::vector<Row> rows;  // ascending by vocabulary
  struct Unknown {
    std::string code;
    int64_t num_events = 0;
  };
  std::vector<Unknown> unknown;  // most frequent first, equal ones by code

  double coverage() const;  // share of events with an id, 0 if there are none
  double coverage_of_codes() const;
  std::string text() const;  // a table for people
};

// What resize_vocabulary does: rows to add to an embedding table, and from what to make each. Row i
// gets the id first_id + i and starts as the weighted mean of the rows neighbour_ids[j], weights
// weights[j], j from offsets[i] to offsets[i + 1] (their sum is 1); none = no neighbour is known:
// mean of all or random, as the caller likes.
struct ResizePlan {
  int32_t first_id = 0;
  std::vector<std::string> codes;
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> neighbour_ids;
  std::vector<float> weights;

  int64_t num_added() const { return static_cast<int64_t>(codes.size()); }
  int64_t num_with_neighbours() const;
};

// Maps the codes of a project to the ids of an encoder's vocabulary: exact; else normalised (case,
// dots, prefix: "ICD10CM/E11.9" = "icd10:e119" = "E119"; a code with a prefix equals a bare one of
// the vocabulary, and a bare code the only one of its kind; words joined by "_", as cehrbert has
// them); else by "Maps to"; else the nearest
// ancestor in the vocabulary; else unknown ([UNK] or [OOV]; a FileError where the vocabulary has
// neither). A normalised form that two codes share maps to neither. Of ancestors at equal distance
// the one of the smallest id counts. The ontology has "Maps to" targets and ancestors alike as
// parents: a direct parent in another vocabulary counts as mapped. The answers are kept: a code
// costs its walk once. Not for use by two threads at a time.
class VocabularyMapper {
 public:
  explicit VocabularyMapper(CodeVocabulary vocabulary, MapperOptions options = {},
                            std::shared_ptr<const Ontology> ontology = nullptr);

  CodeMatch match(std::string_view code);  // id -1 if unknown and the vocabulary has no [UNK]
  int32_t map_code(std::string_view code) { return require(match(code)); }
  std::vector<int32_t> map_codes(std::span<const std::string> codes);
  // Share of codes that have an id by any of the steps that are on; of no codes 0.
  double get_coverage(std::span<const std::string> codes);
  // `counts` (events of each code) may be empty: then each counts 1.
  MappingReport report(std::span<const std::string> codes, std::span<const int64_t> counts,
                       int64_t max_unknown = 20);

  // The rows that `codes` need and the vocabulary has not (by exact form; each once, in this
  // order). Neighbours are the nearest codes that it has: the normalised form's, else what lies one
  // or two steps away in the ontology (parents, children; theirs and siblings with half the
  // weight), else the nearest ancestor.
  ResizePlan plan_resize(std::span<const std::string> codes, int max_neighbours = 8);

  const CodeVocabulary& vocabulary() const { return vocabulary_; }

 private:
  // Normalised forms of the vocabulary's codes.
  struct Forms {
    TextTable texts;
    std::vector<int32_t> ids;  // -1 = two codes share it
    void add(std::string_view form, int32_t id);
    int32_t find(std::string_view form) const;
  };
  struct Near {
    float weight;
    int32_t id;
  };
  CodeMatch find_match(std::string_view code);
  int32_t find_normalised(std::string_view code) const;
  int32_t find_form(std::string_view code) const;
  int32_t find_node(std::string_view code) const;
  int32_t id_of_node(int32_t node);
  int32_t find_mapped(int32_t node);
  int32_t find_ancestor(int32_t node);
  std::vector<Near> find_near(std::string_view code, int max_neighbours);
  void add_near(int32_t node, float weight, std::vector<Near>* near);
  std::span<const int32_t> children(int32_t node);
  int32_t require(CodeMatch match) const;

  CodeVocabulary vocabulary_;
  MapperOptions options_;
  std::shared_ptr<const Ontology> ontology_;
  Forms forms_;                    // with the prefix's usual name
  Forms bodies_;                   // without
  std::vector<int32_t> node_ids_;  // id of each ontology node, -1 = none, -2 = not looked for
  ParentLists children_;           // made when first needed
  TextTable known_;
  std::vector<CodeMatch> matches_;  // of known_
};

}  // namespace sequela
