#include "sequela/ontology/summary.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>

#include "sequela/ontology/build_ontology.h"

namespace sequela {
namespace {

int32_t max_depth(const Ontology& ontology) {
  // A node has more ancestors than each of its parents, so this order puts parents first.
  std::vector<int32_t> order(ontology.num_nodes());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return ontology.all_parents(a).size() < ontology.all_parents(b).size();
  });
  std::vector<int32_t> depths(ontology.num_nodes(), 0);
  int32_t deepest = 0;
  for (const int32_t node : order) {
    for (const int32_t parent : ontology.parents(node)) {
      depths[node] = std::max(depths[node], depths[parent] + 1);
    }
    deepest = std::max(deepest, depths[node]);
  }
  return deepest;
}

std::vector<VocabularySummary> summarize_vocabularies(const Ontology& ontology) {
  std::map<std::string_view, VocabularySummary> by_name;
  for (int32_t node = 0; node < ontology.num_nodes(); ++node) {
    VocabularySummary& entry = by_name[vocabulary_of(ontology.code(node))];
    ++entry.num_nodes;
    entry.num_in_data += ontology.in_data(node) ? 1 : 0;
    entry.num_events += ontology.count(node);
  }
  std::vector<VocabularySummary> result;
  for (auto& [name, entry] : by_name) {
    entry.vocabulary = name;
    result.push_back(std::move(entry));
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.num_nodes > b.num_nodes; });
  return result;
}

}  // namespace

OntologySummary summarize(const Ontology& ontology) {
  OntologySummary summary;
  summary.num_nodes = ontology.num_nodes();
  summary.num_edges = ontology.num_edges();
  int64_t num_all_parents = 0;
  for (int32_t node = 0; node < ontology.num_nodes(); ++node) {
    summary.num_roots += ontology.parents(node).empty() ? 1 : 0;
    if (!ontology.in_data(node)) continue;
    ++summary.num_in_data;
    num_all_parents += static_cast<int64_t>(ontology.all_parents(node).size());
  }
  if (summary.num_in_data > 0) {
    summary.mean_all_parents =
        static_cast<double>(num_all_parents) / static_cast<double>(summary.num_in_data);
  }
  summary.max_depth = max_depth(ontology);
  summary.vocabularies = summarize_vocabularies(ontology);
  return summary;
}

}  // namespace sequela
