// What femr's Ontology class made of the same files.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/ontology/build_ontology.h"
#include "tests/ontology/support.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

// An ontology as exported from femr: code, description, parent_codes, all_parents.
struct Exported {
  std::map<std::string, std::string> descriptions;
  CodeMap parents;
  CodeMap all_parents;
};

std::vector<std::string> items_at(const ColumnSlice& column, int64_t row) {
  std::vector<std::string> items;
  for (int64_t i = column.list_offsets[row]; i < column.list_offsets[row + 1]; ++i) {
    items.emplace_back(column.text(i));
  }
  std::sort(items.begin(), items.end());
  return items;
}

Exported read_reference(const std::string& path) {
  ParquetReader reader(path);
  std::vector<int> columns;
  for (const char* name : {"code", "description"}) {
    columns.push_back(reader.require_column(name, {ColumnType::string}));
  }
  for (const char* name : {"parent_codes", "all_parents"}) {
    columns.push_back(reader.require_column(name, {ColumnType::string_list}));
  }
  Exported reference;
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      const std::string code(batch.columns[0].text(i));
      if (batch.columns[1].is_valid(i)) {
        reference.descriptions[code] = batch.columns[1].text(i);
      }
      reference.parents[code] = items_at(batch.columns[2], i);
      reference.all_parents[code] = items_at(batch.columns[3], i);
    }
  });
  return reference;
}

CodeMap read_code_map(const Json& json) {
  CodeMap map;
  for (const auto& [code, items] : json.items()) {
    map[code] = items.get<std::vector<std::string>>();
    std::sort(map[code].begin(), map[code].end());
  }
  return map;
}

Json read_json(const std::string& path) {
  return parse_json(read_file(path), path);
}

// femr makes no entry of a code of the data that no input file knows; we make a node without
// parents.
void drop_unknown(const Exported& reference, const Ontology& ontology, CodeMap& map) {
  for (int32_t i = 0; i < ontology.num_nodes(); ++i) {
    if (reference.parents.contains(ontology.code(i))) continue;
    EXPECT_TRUE(ontology.in_data(i) && ontology.parents(i).empty()) << ontology.code(i);
    map.erase(ontology.code(i));
  }
}

TEST(OntologyParity, FullGraph) {
  const Exported reference = read_reference(reference_path("motor/g60/ontology_full.parquet"));
  OntologyStats stats;
  const Ontology ontology =
      build_full_ontology({.athena = reference_path("motor/g60/athena")}, &stats);
  EXPECT_GT(ontology.num_nodes(), 1'000);
  EXPECT_EQ(descriptions_of(ontology), reference.descriptions);
  EXPECT_EQ(parents_of(ontology), reference.parents);
  EXPECT_EQ(all_parents_of(ontology), reference.all_parents);
  EXPECT_EQ(stats.athena.num_dangling_relationships, 0);
  EXPECT_EQ(stats.athena.num_dangling_ancestors, 0);
}

TEST(OntologyParity, FullGraphOfAthenaSynthea) {
  SEQUELA_NEED_SHARED();
  const Exported reference =
      read_reference(shared_path("data/athena_synthea/femr_reference_full.parquet"));
  OntologyStats stats;
  const Ontology ontology =
      build_full_ontology({.athena = shared_path("data/athena_synthea")}, &stats);
  EXPECT_EQ(ontology.num_nodes(), 23'545);
  EXPECT_EQ(descriptions_of(ontology), reference.descriptions);
  EXPECT_EQ(parents_of(ontology), reference.parents);
  EXPECT_EQ(all_parents_of(ontology), reference.all_parents);
  EXPECT_EQ(stats.athena.num_concepts, 23'548);
  EXPECT_EQ(stats.athena.num_shared_codes, 3);
  EXPECT_EQ(stats.athena.num_dangling_relationships, 0);
  EXPECT_EQ(stats.athena.num_dangling_ancestors, 0);
}

TEST(OntologyParity, PrunedToSynthea27) {
  SEQUELA_NEED_SHARED();
  const Exported reference =
      read_reference(shared_path("data/athena_synthea/femr_reference_pruned_synthea27.parquet"));
  const DataCodes data = read_data_codes(shared_path("data/synthea27_meds/data"));
  const OntologyOptions options{.athena = shared_path("data/athena_synthea"),
                                .remove_vocabularies = {}};
  const Ontology ontology = build_ontology(options, data.codes, data.counts, nullptr);
  CodeMap parents = parents_of(ontology);
  CodeMap all_parents = all_parents_of(ontology);
  drop_unknown(reference, ontology, parents);
  drop_unknown(reference, ontology, all_parents);
  EXPECT_EQ(parents, reference.parents);
  EXPECT_EQ(all_parents, reference.all_parents);
  for (const auto& [code, description] : reference.descriptions) {
    EXPECT_EQ(ontology.description(ontology.find(code).value()), description);
  }
}

class OntologyOfFemr : public OnReference {};

TEST_P(OntologyOfFemr, G60WithCodeMetadata) {
  const std::string folder = reference_path("motor/g60");
  Exported reference;
  reference.parents = read_code_map(read_json(folder + "/ontology_parents.json")["parents"]);
  const CodeMap seen = read_code_map(read_json(folder + "/all_parents_of_seen_codes.json"));
  const DataCodes data = read_data_codes(folder + "/meds/data");
  const OntologyOptions options{.athena = folder + "/athena",
                                .codes_parquet = folder + "/meds/metadata/codes.parquet"};
  const Ontology ontology = build_ontology(options, data.codes, data.counts, nullptr);
  CodeMap parents = parents_of(ontology);
  drop_unknown(reference, ontology, parents);
  EXPECT_EQ(parents, reference.parents);
  EXPECT_EQ(seen.size(), data.codes.size());
  for (const auto& [code, all_parents] : seen) {
    EXPECT_EQ(codes_of(ontology, ontology.all_parents(ontology.find(code).value())), all_parents);
  }
  const Json descriptions = read_json(folder + "/ontology_descriptions.json");
  for (const auto& [code, text] : descriptions.items()) {
    EXPECT_EQ(ontology.description(ontology.find(code).value()), text.get<std::string>());
  }
}

TEST_P(OntologyOfFemr, TutorialClosure) {
  const std::string folder = reference_path("motor/tutorial");
  const Exported pickle = read_reference(tutorial_path("ontology.parquet"));
  const DataCodes data = read_data_codes(tutorial_path("meds/data"));
  std::map<std::string, Ontology::Node> nodes;
  for (const auto& [code, parents] : pickle.parents) {
    const auto description = pickle.descriptions.find(code);
    nodes[code] = {code, description == pickle.descriptions.end() ? "" : description->second,
                   parents};
  }
  for (const auto& code : data.codes) nodes[code].code = code;
  std::vector<Ontology::Node> all;
  for (auto& [code, node] : nodes) all.push_back(node);
  const Ontology ontology = Ontology::build(std::move(all));
  const CodeMap expected = read_code_map(read_json(folder + "/ontology_parents.json")["parents"]);
  CodeMap parents = parents_of(ontology);
  std::erase_if(parents, [&](const auto& item) { return !expected.contains(item.first); });
  EXPECT_EQ(parents, expected);
  const CodeMap seen = read_code_map(read_json(folder + "/all_parents_of_seen_codes.json"));
  for (const auto& [code, all_parents] : seen) {
    EXPECT_EQ(codes_of(ontology, ontology.all_parents(ontology.find(code).value())), all_parents);
  }
}

SEQUELA_ON_REFERENCES(OntologyOfFemr);

}  // namespace
}  // namespace sequela
