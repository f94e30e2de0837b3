#include "sequela/pipeline/data_ontology.h"

#include <unordered_set>

#include "sequela/io/parquet.h"
#include "sequela/ontology/code_metadata.h"

namespace sequela {
namespace {

Ontology::Node to_node(const CodeMetadata& row) {
  Ontology::Node node;
  node.code = row.code;
  node.description = row.description.value_or("");
  if (row.parents) node.parents.assign(row.parents->begin(), row.parents->end());
  return node;
}

}  // namespace

Ontology read_any_ontology(const std::string& path) {
  if (!ParquetReader(path).find_column("parent_codes")) return Ontology::read(path);
  std::vector<Ontology::Node> nodes;
  read_code_metadata(path, [&](const CodeMetadata& row) { nodes.push_back(to_node(row)); });
  return Ontology::build(std::move(nodes));
}

Ontology extend_to_data(const Ontology& ontology, const EventStore& store,
                        const std::string& codes_parquet) {
  std::vector<Ontology::Node> nodes;
  std::unordered_set<std::string_view> missing;
  for (int32_t n = 0; n < ontology.num_nodes(); ++n) {
    Ontology::Node node{
        ontology.code(n), ontology.description(n), {}, ontology.in_data(n), ontology.count(n)};
    for (int32_t parent : ontology.parents(n)) node.parents.push_back(ontology.code(parent));
    nodes.push_back(std::move(node));
  }
  for (const std::string& code : store.codes()) {
    if (!ontology.find(code)) missing.insert(code);
  }
  if (missing.empty()) return ontology;
  if (!codes_parquet.empty()) {
    read_code_metadata(codes_parquet, [&](const CodeMetadata& row) {
      if (missing.erase(row.code) == 0) return;
      Ontology::Node node = to_node(row);
      std::erase_if(node.parents,
                    [&](const std::string& parent) { return !ontology.find(parent); });
      nodes.push_back(std::move(node));
    });
  }
  for (std::string_view code : missing) nodes.push_back({std::string(code), "", {}, true, 0});
  return Ontology::build(std::move(nodes));
}

}  // namespace sequela
