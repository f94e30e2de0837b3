// CONCEPT.csv: concept_id, concept_name, domain_id, vocabulary_id, concept_class_id,
// standard_concept (S, C or
//   empty), concept_code, valid_start_date, valid_end_date, invalid_reason
// CONCEPT_RELATIONSHIP.csv: concept_id_1, concept_id_2, relationship_id, valid_start_date, ...
// CONCEPT_ANCESTOR.csv: ancestor_concept_id, descendant_concept_id, min_levels_of_separation,
// max_levels_...
#include "sequela/ontology/athena.h"

#include <charconv>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/utf8.h"
#include "sequela/ontology/athena_files.h"

namespace sequela {
namespace {

const std::vector<std::string> kConceptColumns = {"concept_id", "concept_name", "vocabulary_id",
                                                  "concept_code", "standard_concept"};
constexpr size_t kLookupsAtOnce = 64;

int64_t read_id(const TabFile& file, std::string_view field, const std::string& column) {
  int64_t id = 0;
  const char* end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, id);
  if (error != std::errc{} || stop != end) {
    file.fail(field, column, "it is no whole number",
              "download the file again; the columns must be separated by tabs");
  }
  return id;
}

}  // namespace

struct AthenaGraph::ConceptPart {
  struct Row {
    int64_t id;
    uint64_t name_offset;
    uint32_t name_size;
    bool is_standard;
    size_t code_hash;
    size_t code_end;  // in `codes`
  };
  std::vector<Row> rows;
  std::string codes;  // of all rows
  int64_t num_without_code = 0;
};

// A file of parents: which rows of it count.
struct AthenaGraph::EdgeFile {
  enum class Children { all, non_standard };

  const char* name;
  std::vector<std::string> columns;  // child, parent, kind
  std::string_view kind;
  Children children;
  int64_t AthenaStats::*num_edges;
  int64_t AthenaStats::*num_dangling;
};

struct AthenaGraph::EdgePart {
  std::vector<std::pair<int64_t, int64_t>> unresolved;  // ids of child and parent
  std::vector<Edge> edges;
  int64_t num_dangling = 0;
  int64_t num_self_parents = 0;
};

AthenaGraph AthenaGraph::read(const std::string& path, int num_threads,
                              const std::string& scratch_folder) {
  const AthenaFiles files(path);
  AthenaGraph graph;
  graph.concept_file_ =
      std::make_unique<TabFile>(files.map(AthenaFiles::kConcept, scratch_folder), kConceptColumns);
  graph.read_concepts(num_threads);
  if (graph.codes_.size() == 0)
    throw DataError({graph.concept_file_->path()}, "it holds no concept", "download it again");
  std::vector<Edge> edges;
  const EdgeFile relationships = {AthenaFiles::kRelationship,
                                  {"concept_id_1", "concept_id_2", "relationship_id"},
                                  "Maps to",
                                  EdgeFile::Children::non_standard,
                                  &AthenaStats::num_maps_to,
                                  &AthenaStats::num_dangling_relationships};
  const EdgeFile ancestors = {
      AthenaFiles::kAncestor,
      {"descendant_concept_id", "ancestor_concept_id", "min_levels_of_separation"},
      "1",
      EdgeFile::Children::all,
      &AthenaStats::num_ancestors,
      &AthenaStats::num_dangling_ancestors};
  for (const EdgeFile& kind : {relationships, ancestors}) {
    graph.read_edges(files.map(kind.name, scratch_folder), kind, num_threads, edges);
  }
  graph.concepts_ = {};
  graph.parents_ = to_parent_lists(graph.codes_.size(), edges);
  graph.warn();
  return graph;
}

void AthenaGraph::read_concepts(int num_threads) {
  const TabFile& file = *concept_file_;
  const char* begin = file.text().data();
  auto parse = [&](ConceptPart& part, Fields fields) {
    const auto& [id, name, vocabulary, code, standard] =
        std::tie(fields[0], fields[1], fields[2], fields[3], fields[4]);
    const int64_t concept_id = read_id(file, id, kConceptColumns[0]);
    if (concept_id < 0 || concept_id > ConceptTable::kMaxId) {
      file.fail(id, kConceptColumns[0], "no concept has this number",
                "give ids from 0 to 4294967295");
    }
    const size_t code_begin = part.codes.size();
    part.num_without_code += vocabulary.empty() || code.empty() ? 1 : 0;
    if (!vocabulary.empty() && !code.empty())
      part.codes.append(vocabulary).append("/").append(code);
    const std::string_view full_code = std::string_view(part.codes).substr(code_begin);
    part.rows.push_back({concept_id, static_cast<uint64_t>(name.data() - begin),
                         static_cast<uint32_t>(name.size()), !standard.empty(),
                         TextTable::hash(full_code), part.codes.size()});
  };
  file.scan<ConceptPart>(num_threads, parse, [&](const ConceptPart& part) { add_concepts(part); });
  stats_.num_bytes += static_cast<int64_t>(file.num_bytes());
}

void AthenaGraph::add_concepts(const ConceptPart& part) {
  stats_.num_concepts += static_cast<int64_t>(part.rows.size());
  stats_.num_concepts_without_code += part.num_without_code;
  size_t begin = 0;
  for (const auto& row : part.rows) {
    const std::string_view code = std::string_view(part.codes).substr(begin, row.code_end - begin);
    begin = row.code_end;
    if (code.empty()) continue;
    const int32_t num_before = codes_.size();
    const int32_t node = codes_.add(code, row.code_hash);
    const Name name = {row.id, row.name_offset, row.name_size};
    if (node == num_before) {
      names_.push_back(name);
    } else {
      offer_name(node, name);
    }
    Concept entry{node, row.is_standard};
    if (const std::optional<Concept> known = concepts_.find(row.id)) {
      ++stats_.num_repeated_ids;
      if (codes_.text(known->node) < code) entry.node = known->node;
      entry.is_standard = entry.is_standard && known->is_standard;
    } else if (node < num_before) {
      ++stats_.num_shared_codes;
    }
    concepts_.set(row.id, entry);
  }
}

void AthenaGraph::offer_name(int32_t node, const Name& name) {
  Name& known = names_[node];
  const bool is_first = name.concept_id < known.concept_id ||
                        (name.concept_id == known.concept_id && name_text(name) < name_text(known));
  if (is_first) known = name;
}

// Fetches the table's entries of many ids at once: each would else be waited for.
void AthenaGraph::resolve(const EdgeFile& kind, EdgePart& part) const {
  for (const auto& [child_id, parent_id] : part.unresolved) {
    concepts_.prefetch(child_id);
    concepts_.prefetch(parent_id);
  }
  for (const auto& [child_id, parent_id] : part.unresolved) {
    const auto child = concepts_.find(child_id);
    const auto parent = concepts_.find(parent_id);
    if (!child || !parent) {
      ++part.num_dangling;
    } else if (child->is_standard && kind.children == EdgeFile::Children::non_standard) {
      continue;
    } else if (child->node == parent->node) {
      ++part.num_self_parents;
    } else {
      part.edges.emplace_back(child->node, parent->node);
    }
  }
  part.unresolved.clear();
}

void AthenaGraph::read_edges(MappedFile table, const EdgeFile& kind, int num_threads,
                             std::vector<Edge>& edges) {
  const TabFile file(std::move(table), kind.columns);
  const bool skips_same = kind.children == EdgeFile::Children::non_standard;
  auto parse = [&](EdgePart& part, Fields fields) {
    if (fields[2] != kind.kind || (skips_same && fields[0] == fields[1])) return;
    const int64_t child = read_id(file, fields[0], kind.columns[0]);
    part.unresolved.emplace_back(child, read_id(file, fields[1], kind.columns[1]));
    if (part.unresolved.size() == kLookupsAtOnce) resolve(kind, part);
  };
  file.scan<EdgePart>(num_threads, parse, [&](EdgePart& part) {
    resolve(kind, part);
    edges.insert(edges.end(), part.edges.begin(), part.edges.end());
    stats_.*kind.num_edges += static_cast<int64_t>(part.edges.size());
    stats_.*kind.num_dangling += part.num_dangling;
    stats_.num_self_parents += part.num_self_parents;
  });
  stats_.num_bytes += static_cast<int64_t>(file.num_bytes());
}

std::string AthenaGraph::description(int32_t node) const {
  return node < num_nodes() ? to_valid_utf8(name_text(names_[node])) : "";
}

void AthenaGraph::warn() const {
  auto warn_if = [](int64_t count, const char* what) {
    if (count > 0) log_warning(str("ontology: ", count, " ", what));
  };
  warn_if(stats_.num_dangling_relationships,
          "\"Maps to\" rows of CONCEPT_RELATIONSHIP.csv name a concept that CONCEPT.csv lacks; "
          "skipped");
  warn_if(stats_.num_dangling_ancestors,
          "level-1 rows of CONCEPT_ANCESTOR.csv name a concept that CONCEPT.csv lacks; skipped");
  warn_if(stats_.num_concepts_without_code,
          "rows of CONCEPT.csv have no vocabulary_id or concept_code; skipped");
  warn_if(stats_.num_repeated_ids,
          "rows of CONCEPT.csv repeat a concept_id; of its codes the first by alphabet counts");
  warn_if(stats_.num_self_parents, "rows make a code its own parent; skipped");
}

}  // namespace sequela
