#include "sequela/pipeline/data_ontology.h"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/ontology/athena_files.h"
#include "sequela/ontology/build_ontology.h"
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
  if (ParquetReader(path).find_column("in_data")) return Ontology::read(path);
  std::vector<Ontology::Node> nodes;
  read_code_metadata(path, [&](const CodeMetadata& row) { nodes.push_back(to_node(row)); });
  return Ontology::build(std::move(nodes));
}

Ontology read_ontology_of(const OntologySource& source, const std::vector<std::string>& codes,
                          const std::vector<int64_t>& counts) {
  if (!is_athena_path(source.path)) return read_any_ontology(source.path);
  OntologyOptions options;
  options.athena = source.path;
  options.codes_parquet = source.codes_parquet;
  options.num_threads = source.num_threads;
  options.scratch_folder = source.scratch_folder;
  options.keeps_all = source.keeps_all;
  return build_ontology(options, codes, counts, nullptr);
}

Ontology extend_to_data(const Ontology& ontology, const std::vector<std::string>& codes,
                        const std::string& codes_parquet) {
  std::vector<Ontology::Node> nodes;
  std::unordered_set<std::string_view> missing;
  for (int32_t n = 0; n < ontology.num_nodes(); ++n) {
    Ontology::Node node{
        ontology.code(n), ontology.description(n), {}, ontology.in_data(n), ontology.count(n)};
    for (int32_t parent : ontology.parents(n)) node.parents.push_back(ontology.code(parent));
    nodes.push_back(std::move(node));
  }
  for (const std::string& code : codes) {
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

Ontology BundleOntology::find(const std::vector<std::string>& codes,
                              const std::vector<int64_t>& counts, bool keeps_all) const {
  if (!ontology.empty()) return read_any_ontology(ontology);
  if (!athena.empty()) {
    return read_ontology_of({athena, codes_parquet, scratch_folder, num_threads, keeps_all}, codes,
                            counts);
  }
  const std::string own = model + "/ontology.parquet";
  if (std::filesystem::exists(own)) return Ontology::read(own);
  throw ConfigError(str(model,
                        ": the bundle has a hierarchical tokenizer but no ontology. Fix: "
                        "name one with --athena."));
}

Ontology BundleOntology::read(const std::vector<std::string>& codes,
                              const std::vector<int64_t>& counts) const {
  return extend_to_data(find(codes, counts, false), codes, codes_parquet);
}

Ontology BundleOntology::read_for_any_data() const {
  std::vector<std::string> codes;
  if (!codes_parquet.empty()) {
    read_code_metadata(codes_parquet,
                       [&](const CodeMetadata& row) { codes.emplace_back(row.code); });
    std::ranges::sort(codes);
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  }
  const std::vector<int64_t> counts(codes.size(), 0);
  return extend_to_data(find(codes, counts, true), codes, codes_parquet);
}

}  // namespace sequela
