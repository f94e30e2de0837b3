#include "sequela/ontology/build_ontology.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_map>

#include "sequela/core/error.h"
#include "sequela/core/parallel.h"
#include "sequela/ontology/code_metadata.h"

namespace sequela {
namespace {

// What codes.parquet says of a code, in place of what Athena says.
struct Override {
  std::optional<std::string> description;
  std::optional<std::vector<int32_t>> parents;
};

// Athena and codes.parquet as one graph. Codes that Athena lacks are numbered after its own.
class MergedGraph {
 public:
  MergedGraph(const OntologyOptions& options, OntologyStats& stats);

  int32_t num_codes() const { return athena_.codes().size(); }
  int32_t add(std::string_view code) { return athena_.codes().add(code); }
  std::string_view code(int32_t id) const { return athena_.codes().text(id); }
  std::string description(int32_t id) const;
  std::span<const int32_t> parents(int32_t id) const;

 private:
  void add_metadata(const std::string& path, OntologyStats& stats);

  AthenaGraph athena_;
  std::unordered_map<int32_t, Override> overrides_;
};

MergedGraph::MergedGraph(const OntologyOptions& options, OntologyStats& stats) {
  options.validate();
  const int num_threads = options.num_threads > 0 ? options.num_threads : default_num_threads();
  if (!options.athena.empty()) {
    athena_ = AthenaGraph::read(options.athena, num_threads, options.scratch_folder);
  }
  stats.athena = athena_.stats();
  if (!options.codes_parquet.empty()) add_metadata(options.codes_parquet, stats);
}

void MergedGraph::add_metadata(const std::string& path, OntologyStats& stats) {
  read_code_metadata(path, [&](const CodeMetadata& row) {
    ++stats.num_metadata_rows;
    const int32_t id = add(row.code);
    if (row.description) {
      ++stats.num_metadata_descriptions;
      overrides_[id].description = *row.description;
    }
    if (row.parents) {
      ++stats.num_metadata_parents;
      std::vector<int32_t> parents;
      for (const std::string_view parent : *row.parents) parents.push_back(add(parent));
      overrides_[id].parents = std::move(parents);
    }
  });
}

std::string MergedGraph::description(int32_t id) const {
  const auto found = overrides_.find(id);
  if (found != overrides_.end() && found->second.description) return *found->second.description;
  return athena_.description(id);
}

std::span<const int32_t> MergedGraph::parents(int32_t id) const {
  const auto found = overrides_.find(id);
  if (found != overrides_.end() && found->second.parents) return *found->second.parents;
  if (id < athena_.num_nodes()) return athena_.parents(id);
  return {};
}

// The nodes to keep, and how many of each vocabulary are not.
struct Selection {
  std::vector<int32_t> ids;      // those of the data first
  std::vector<uint8_t> is_kept;  // by id
};

bool is_in_one_of(std::string_view code, const std::vector<std::string>& vocabularies) {
  return std::ranges::find(vocabularies, vocabulary_of(code)) != vocabularies.end();
}

// Codes of the graph that are no seeds yet become some, but those of removed vocabularies.
void add_all_seeds(const MergedGraph& graph, const std::vector<std::string>& remove_vocabularies,
                   std::vector<int32_t>& seeds) {
  std::vector<uint8_t> is_seed(graph.num_codes(), 0);
  for (const int32_t id : seeds) is_seed[id] = 1;
  for (int32_t id = 0; id < graph.num_codes(); ++id) {
    if (is_seed[id] == 0 && !is_in_one_of(graph.code(id), remove_vocabularies)) seeds.push_back(id);
  }
}

// `seeds` and all that can be reached from them upwards, through removed vocabularies too, but
// without their codes unless they are seeds.
Selection select(const MergedGraph& graph, const std::vector<int32_t>& seeds,
                 const std::vector<std::string>& remove_vocabularies) {
  Selection selection{{}, std::vector<uint8_t>(graph.num_codes(), 0)};
  std::vector<uint8_t> is_reached(graph.num_codes(), 0);
  std::vector<int32_t> queue = seeds;
  for (const int32_t id : seeds) is_reached[id] = 1;
  for (size_t next = 0; next < queue.size(); ++next) {
    const int32_t id = queue[next];
    if (next < seeds.size() || !is_in_one_of(graph.code(id), remove_vocabularies)) {
      selection.ids.push_back(id);
      selection.is_kept[id] = 1;
    }
    for (const int32_t parent : graph.parents(id)) {
      if (is_reached[parent]) continue;
      is_reached[parent] = 1;
      queue.push_back(parent);
    }
  }
  return selection;
}

Ontology::Node make_node(const MergedGraph& graph, const Selection& selection, int32_t id) {
  Ontology::Node node{std::string(graph.code(id)), graph.description(id)};
  for (const int32_t parent : graph.parents(id)) {
    if (selection.is_kept[parent]) node.parents.emplace_back(graph.code(parent));
  }
  return node;
}

std::vector<VocabularyStats> count_vocabularies(const MergedGraph& graph,
                                                const Selection& selection, size_t num_in_data) {
  std::map<std::string, VocabularyStats, std::less<>> by_name;
  auto stats_of = [&](int32_t id) -> VocabularyStats& {
    const std::string_view name = vocabulary_of(graph.code(id));
    auto found = by_name.find(name);
    if (found == by_name.end())
      found = by_name.emplace(name, VocabularyStats{std::string(name)}).first;
    return found->second;
  };
  for (int32_t id = 0; id < graph.num_codes(); ++id) {
    VocabularyStats& stats = stats_of(id);
    ++(selection.is_kept[id] ? stats.num_kept : stats.num_dropped);
  }
  for (size_t i = 0; i < num_in_data; ++i) ++stats_of(selection.ids[i]).num_in_data;
  std::vector<VocabularyStats> result;
  for (auto& [name, stats] : by_name) result.push_back(std::move(stats));
  return result;
}

}  // namespace

void OntologyOptions::validate() const {
  if (num_threads < 0) throw ConfigError("threads", str(num_threads), "0 (all) or more");
  for (const auto& vocabulary : remove_vocabularies) {
    if (vocabulary.empty() || vocabulary.find('/') != std::string::npos) {
      throw ConfigError("remove_vocabularies", vocabulary, "names of vocabularies, such as SPL");
    }
  }
}

std::string_view vocabulary_of(std::string_view code) {
  return code.substr(0, code.find('/'));
}

std::string_view shown_vocabulary_of(std::string_view code) {
  return code.find('/') == std::string_view::npos ? "none" : vocabulary_of(code);
}

Ontology build_ontology(const OntologyOptions& options, const std::vector<std::string>& codes,
                        const std::vector<int64_t>& counts, OntologyStats* stats) {
  if (codes.size() != counts.size()) {
    throw std::invalid_argument("build_ontology: codes and counts differ in number");
  }
  OntologyStats unused;
  OntologyStats& all = stats != nullptr ? *stats : unused;
  MergedGraph graph(options, all);
  std::vector<int32_t> seeds;
  for (const auto& code : codes) seeds.push_back(graph.add(code));
  if (options.keeps_all) add_all_seeds(graph, options.remove_vocabularies, seeds);
  const Selection selection = select(graph, seeds, options.remove_vocabularies);
  std::vector<Ontology::Node> nodes;
  for (const int32_t id : selection.ids) nodes.push_back(make_node(graph, selection, id));
  for (size_t i = 0; i < codes.size(); ++i) {
    nodes[i].in_data = true;
    nodes[i].count = counts[i];
  }
  all.vocabularies = count_vocabularies(graph, selection, codes.size());
  Ontology ontology = Ontology::build(std::move(nodes));
  all.num_broken_cycles = ontology.num_broken_edges();
  return ontology;
}

Ontology build_full_ontology(const OntologyOptions& options, OntologyStats* stats) {
  OntologyStats unused;
  OntologyStats& all = stats != nullptr ? *stats : unused;
  MergedGraph graph(options, all);
  std::vector<int32_t> ids(graph.num_codes());
  for (int32_t id = 0; id < graph.num_codes(); ++id) ids[id] = id;
  const Selection selection = select(graph, ids, {});
  std::vector<Ontology::Node> nodes;
  for (const int32_t id : ids) nodes.push_back(make_node(graph, selection, id));
  all.vocabularies = count_vocabularies(graph, selection, 0);
  Ontology ontology = Ontology::build(std::move(nodes));
  all.num_broken_cycles = ontology.num_broken_edges();
  return ontology;
}

OntologyCoverage measure_coverage(const Ontology& ontology) {
  OntologyCoverage coverage;
  for (int32_t node = 0; node < ontology.num_nodes(); ++node) {
    if (!ontology.in_data(node)) continue;
    const int64_t count = ontology.count(node);
    ++coverage.num_codes;
    coverage.num_events += count;
    if (!ontology.description(node).empty()) {
      ++coverage.num_codes_described;
      coverage.num_events_described += count;
    }
    if (!ontology.parents(node).empty()) {
      ++coverage.num_codes_with_parent;
      coverage.num_events_with_parent += count;
    }
  }
  return coverage;
}

}  // namespace sequela
