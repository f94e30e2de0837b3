#include "sequela/ontology/ontology.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/ontology/build_ontology.h"
#include "tests/ontology/support.h"

namespace sequela {
namespace {

using Codes = std::vector<std::string>;
using CodeLists = std::vector<Codes>;

const VocabularyStats& stats_of(const OntologyStats& stats, const std::string& vocabulary) {
  for (const auto& entry : stats.vocabularies) {
    if (entry.vocabulary == vocabulary) return entry;
  }
  throw std::out_of_range(vocabulary);
}

TEST(Ontology, SortsNodesAndMakesParentsNodes) {
  const Ontology ontology =
      Ontology::build({{"V/b", "bee", {"V/z", "V/a", "V/z"}, true, 7}, {"V/a"}});
  ASSERT_EQ(ontology.num_nodes(), 3);
  EXPECT_EQ(ontology.code(0), "V/a");
  EXPECT_EQ(ontology.description(1), "bee");
  EXPECT_EQ(ontology.count(1), 7);
  EXPECT_TRUE(ontology.in_data(1));
  EXPECT_FALSE(ontology.in_data(2));
  EXPECT_EQ(parents_of(ontology)["V/b"], (Codes{"V/a", "V/z"}));
  EXPECT_EQ(ontology.num_edges(), 2);
  EXPECT_EQ(ontology.find("V/z"), 2);
  EXPECT_EQ(ontology.find("V/"), std::nullopt);
  EXPECT_EQ(ontology.nodes_of({"V/z", "V/a"}), (std::vector<int32_t>{2, 0}));
  EXPECT_THROW(ontology.nodes_of({"V/y"}), std::logic_error);
}

TEST(Ontology, RefusesACodeTwice) {
  EXPECT_THROW(Ontology::build({{"V/a"}, {"V/b"}, {"V/a"}}), DataError);
}

TEST(Ontology, ReadsWhatItWrote) {
  const TestFolder folder;
  const Ontology written = Ontology::build(
      {{"V/b", "bee", {"V/a", "V/c"}, true, 7}, {"V/a", "", {"V/c"}, true, 1}, {"V/c", "sea"}});
  written.write(folder / "ontology.parquet");
  const Ontology read = Ontology::read(folder / "ontology.parquet");
  EXPECT_EQ(parents_of(read), parents_of(written));
  EXPECT_EQ(all_parents_of(read), all_parents_of(written));
  EXPECT_EQ(descriptions_of(read), descriptions_of(written));
  for (int32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.in_data(i), written.in_data(i));
    EXPECT_EQ(read.count(i), written.count(i));
  }
  read.write(folder / "again.parquet");
  EXPECT_TRUE(read_file(folder / "again.parquet") == read_file(folder / "ontology.parquet"));
}

TEST(Ontology, EmptyIsWrittenAndRead) {
  const TestFolder folder;
  Ontology::build({}).write(folder / "ontology.parquet");
  EXPECT_EQ(Ontology::read(folder / "ontology.parquet").num_nodes(), 0);
}

TEST(Ontology, NamesTheColumnThatAFileLacks) {
  const TestFolder folder;
  write_parquet(folder / "x.parquet", {{"code", Codes{"V/a"}}});
  try {
    Ontology::read(folder / "x.parquet");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().column, "description");
  }
}

TEST(Ontology, NamesTheCycle) {
  WarningCatcher catcher;
  const Ontology ontology =
      Ontology::build({{"V/c", "", {"V/a"}}, {"V/a", "", {"V/b"}}, {"V/b", "", {"V/c"}}});
  ASSERT_EQ(catcher.warnings.size(), 1u);
  EXPECT_NE(catcher.warnings[0].find("V/a -> V/b -> V/c -> V/a"), std::string::npos);
  EXPECT_EQ(all_parents_of(ontology)["V/a"], (Codes{"V/a", "V/b", "V/c"}));
  EXPECT_EQ(all_parents_of(ontology)["V/c"], (Codes{"V/c"}));
}

// A cycle of codes V/100, V/101, ... and so on, each the parent of the one before.
std::vector<Ontology::Node> ring(int first, int size) {
  std::vector<Ontology::Node> nodes;
  for (int i = 0; i < size; ++i) {
    nodes.push_back({str("V/", first + i), "", {str("V/", first + (i + 1) % size)}});
  }
  return nodes;
}

TEST(Ontology, NamesEightCodesOfACycle) {
  WarningCatcher catcher;
  for (const int size : {7, 8, 9, 12}) Ontology::build(ring(100, size));
  ASSERT_EQ(catcher.warnings.size(), 4u);
  for (const auto& [i, end] :
       std::vector<std::pair<size_t, const char*>>{{0, "V/106 -> V/100;"},
                                                   {1, "V/107 -> V/100;"},
                                                   {2, "V/107 -> (1 more) -> V/100;"},
                                                   {3, "V/107 -> (4 more) -> V/100;"}}) {
    EXPECT_NE(catcher.warnings[i].find(end), std::string::npos) << catcher.warnings[i];
  }
  EXPECT_NE(catcher.warnings[3].find("the edge from 'V/111' to 'V/100' is left out"),
            std::string::npos);
}

TEST(Ontology, NamesTwentyCycles) {
  for (const int num_cycles : {20, 21, 30}) {
    WarningCatcher catcher;
    std::vector<Ontology::Node> nodes;
    for (int i = 0; i < num_cycles; ++i) {
      for (auto& node : ring(100 + 2 * i, 2)) nodes.push_back(node);
    }
    Ontology::build(nodes);
    ASSERT_EQ(catcher.warnings.size(), num_cycles == 20 ? 20u : 21u);
    if (num_cycles == 20) continue;
    EXPECT_NE(catcher.warnings.back().find(str(" ", num_cycles - 20, " more cycles were broken")),
              std::string::npos);
  }
}

TEST(BuildOntology, RefusesOptionsThatMeanNothing) {
  EXPECT_THROW(build_ontology({.num_threads = -1}, {"V/b"}, {1}, nullptr), ConfigError);
  for (const std::string vocabulary : {"", "V/b", "/"}) {
    EXPECT_THROW(
        build_ontology({.remove_vocabularies = {"SPL", vocabulary}}, {"V/b"}, {1}, nullptr),
        ConfigError);
  }
}

TEST(BuildOntology, WorksFromCodeMetadataAlone) {
  const TestFolder folder;
  write_parquet(folder / "codes.parquet",
                {{"code", Codes{"L/1", "L/2", "L/3"}},
                 {"description", Codes{"one", "", "three"}, {1, 0, 1}},
                 {"parent_codes", CodeLists{{"S/1", ""}, {}, {"S/2"}}, {1, 0, 1}}});
  OntologyStats stats;
  const Ontology ontology = build_ontology({.codes_parquet = folder / "codes.parquet"},
                                           {"L/2", "L/1", "X"}, {20, 10, 5}, &stats);
  EXPECT_EQ(parents_of(ontology), (CodeMap{{"L/1", {"S/1"}}, {"L/2", {}}, {"S/1", {}}, {"X", {}}}));
  EXPECT_EQ(ontology.description(0), "one");
  EXPECT_EQ(ontology.count(1), 20);
  EXPECT_EQ(stats.num_metadata_rows, 3);
  EXPECT_EQ(stats.num_metadata_parents, 2);
  EXPECT_EQ(stats_of(stats, "S").num_kept, 1);
  EXPECT_EQ(stats_of(stats, "S").num_dropped, 1);
  const OntologyCoverage coverage = measure_coverage(ontology);
  EXPECT_EQ(coverage.num_codes, 3);
  EXPECT_EQ(coverage.num_events, 35);
  EXPECT_EQ(coverage.num_codes_described, 1);
  EXPECT_EQ(coverage.num_events_with_parent, 10);
}

TEST(BuildOntology, WorksFromTheDataAlone) {
  const Ontology ontology = build_ontology({}, {"V/b", "V/a"}, {1, 2}, nullptr);
  EXPECT_EQ(parents_of(ontology), (CodeMap{{"V/a", {}}, {"V/b", {}}}));
  EXPECT_THROW(build_ontology({}, {"V/b"}, {}, nullptr), std::invalid_argument);
}

TEST(BuildOntology, RemovedVocabulariesStayOnlyIfInTheData) {
  const TestFolder folder;
  write_parquet(folder / "codes.parquet",
                {{"code", Codes{"R/1", "SPL/a", "R/2", "SPLX/c"}},
                 {"parent_codes", CodeLists{{"SPL/a", "SPLX/c"}, {"A/1"}, {"SPL/b"}, {"A/2"}}}});
  OntologyOptions options{.codes_parquet = folder / "codes.parquet"};
  const Ontology ontology = build_ontology(options, {"R/1", "R/2", "SPL/b"}, {1, 1, 1}, nullptr);
  // SPL/a is passed through, and its ancestor A/1 kept, but the way to it is not bridged.
  EXPECT_EQ(parents_of(ontology), (CodeMap{{"A/1", {}},
                                           {"A/2", {}},
                                           {"R/1", {"SPLX/c"}},
                                           {"R/2", {"SPL/b"}},
                                           {"SPL/b", {}},
                                           {"SPLX/c", {"A/2"}}}));
  // For data to come, all but the removed vocabularies' codes that are not in the data.
  options.keeps_all = true;
  EXPECT_EQ(
      parents_of(build_ontology(options, {"R/1"}, {1}, nullptr)),
      (CodeMap{{"A/1", {}}, {"A/2", {}}, {"R/1", {"SPLX/c"}}, {"R/2", {}}, {"SPLX/c", {"A/2"}}}));
  options.remove_vocabularies = {"SPL/"};
  EXPECT_THROW(build_ontology(options, {}, {}, nullptr), ConfigError);
}

TEST(BuildOntology, CodeMetadataReplacesParentsAndDescriptionsOfAthena) {
  const TestFolder folder;
  write_text(folder / "CONCEPT.csv",
             "concept_id\tconcept_name\tvocabulary_id\tstandard_concept\tconcept_code\n"
             "1\tone\tV\tS\ta\n2\ttwo\tV\tS\tb\n3\tthree\tV\tS\tc\n");
  write_text(folder / "CONCEPT_RELATIONSHIP.csv", "concept_id_1\tconcept_id_2\trelationship_id\n");
  write_text(folder / "CONCEPT_ANCESTOR.csv",
             "ancestor_concept_id\tdescendant_concept_id\tmin_levels_of_separation\n"
             "2\t1\t1\n3\t2\t1\n");
  write_parquet(folder / "codes.parquet",
                {{"code", Codes{"V/a", "V/b"}},
                 {"description", Codes{"new", ""}, {1, 0}},
                 {"parent_codes", CodeLists{{"V/c", "N/1"}, {}}, {1, 1}}});
  const Ontology ontology = build_full_ontology(
      {.athena = folder.path(), .codes_parquet = folder / "codes.parquet"}, nullptr);
  EXPECT_EQ(parents_of(ontology),
            (CodeMap{{"N/1", {}}, {"V/a", {"N/1", "V/c"}}, {"V/b", {}}, {"V/c", {}}}));
  EXPECT_EQ(ontology.description(1), "new");
  EXPECT_EQ(ontology.description(2), "two");
}

TEST(Ontology, ParentsAreCalledAsMedsCallsThemAndTheOlderNameIsRead) {
  const TestFolder folder;
  const Ontology ontology =
      Ontology::build({{"a", "first", {"b"}, true, 3}, {"b", "", {}, false, 0}});
  ontology.write(folder / "new.parquet");
  EXPECT_TRUE(ParquetReader(folder / "new.parquet").find_column("parent_codes"));
  EXPECT_FALSE(ParquetReader(folder / "new.parquet").find_column("parents"));
  write_parquet(folder / "old.parquet",
                {{"code", std::vector<std::string>{"a", "b"}, {}},
                 {"description", std::vector<std::string>{"first", ""}, {1, 0}},
                 {"parents", std::vector<std::vector<std::string>>{{"b"}, {}}, {}},
                 {"in_data", std::vector<uint8_t>{1, 0}, {}},
                 {"count", std::vector<int64_t>{3, 0}, {}}});
  EXPECT_EQ(parents_of(Ontology::read(folder / "old.parquet")), parents_of(ontology));
  EXPECT_EQ(parents_of(Ontology::read(folder / "new.parquet")), parents_of(ontology));
}

}  // namespace
}  // namespace sequela
