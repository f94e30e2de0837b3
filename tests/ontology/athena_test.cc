// Broken, sloppy and small Athena folders.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/ontology/build_ontology.h"
#include "tests/ontology/support.h"
#include "tests/support/bad_inputs.h"

namespace sequela {
namespace {

using Codes = std::vector<std::string>;

constexpr const char* kConceptHeader =
    "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\t"
    "concept_code\tvalid_start_date\tvalid_end_date\tinvalid_reason\n";
constexpr const char* kRelationshipHeader =
    "concept_id_1\tconcept_id_2\trelationship_id\tvalid_start_date\tvalid_end_date\t"
    "invalid_reason\n";
constexpr const char* kAncestorHeader =
    "ancestor_concept_id\tdescendant_concept_id\tmin_levels_of_separation\t"
    "max_levels_of_separation\n";

std::string concept_row(const std::string& id, const std::string& vocabulary,
                        const std::string& code, const std::string& standard) {
  return id + "\tname " + id + "\tCondition\t" + vocabulary + "\tClass\t" + standard + "\t" + code +
         "\t19700101\t20991231\t\n";
}

void write_athena(const TestFolder& folder, const std::string& concepts,
                  const std::string& relationships, const std::string& ancestors) {
  write_text(folder / "CONCEPT.csv", kConceptHeader + concepts);
  write_text(folder / "CONCEPT_RELATIONSHIP.csv", kRelationshipHeader + relationships);
  write_text(folder / "CONCEPT_ANCESTOR.csv", kAncestorHeader + ancestors);
}

Ontology build_full(const std::string& athena, OntologyStats* stats = nullptr) {
  return build_full_ontology({.athena = athena}, stats);
}

// The message of the DataError that building gives, "" if it gives none.
std::string data_error(const std::string& athena) {
  try {
    build_full(athena);
    return "";
  } catch (const DataError& error) {
    return error.what();
  }
}

void expect_words(const std::string& message, const Codes& words) {
  for (const auto& word : words) EXPECT_NE(message.find(word), std::string::npos) << message;
}

TEST(Athena, MapsNonStandardCodesAndTakesLevelOneAncestors) {
  const TestFolder folder;
  write_athena(folder,
               concept_row("1", "ICD10CM", "A00", "") + concept_row("2", "SNOMED", "11", "S") +
                   concept_row("3", "SNOMED", "22", "S") + concept_row("4", "ATC", "C", "C"),
               "1\t2\tMaps to\t\t\t\n1\t3\tIs a\t\t\t\n1\t1\tMaps to\t\t\t\n"
               "2\t3\tMaps to\t\t\t\n",
               "3\t2\t1\t1\n4\t2\t2\t2\n4\t3\t1\t3\n2\t2\t0\t0\n");
  OntologyStats stats;
  const Ontology ontology = build_full(folder.path(), &stats);
  EXPECT_EQ(parents_of(ontology), (CodeMap{{"ATC/C", {}},
                                           {"ICD10CM/A00", {"SNOMED/11"}},
                                           {"SNOMED/11", {"SNOMED/22"}},
                                           {"SNOMED/22", {"ATC/C"}}}));
  EXPECT_EQ(all_parents_of(ontology)["ICD10CM/A00"],
            (Codes{"ATC/C", "ICD10CM/A00", "SNOMED/11", "SNOMED/22"}));
  EXPECT_EQ(ontology.description(0), "name 4");
  EXPECT_EQ(stats.athena.num_maps_to, 1);
  EXPECT_EQ(stats.athena.num_ancestors, 2);
}

TEST(Athena, JoinsConceptIdsOfOneCode) {
  const TestFolder folder;
  write_athena(folder,
               concept_row("9", "V", "a", "S") + concept_row("5", "V", "a", "S") +
                   concept_row("6", "V", "b", "S") + concept_row("7", "V", "c", "S"),
               "", "6\t9\t1\t1\n7\t5\t1\t1\n9\t5\t1\t1\n");
  OntologyStats stats;
  const Ontology ontology = build_full(folder.path(), &stats);
  EXPECT_EQ(parents_of(ontology)["V/a"], (Codes{"V/b", "V/c"}));
  EXPECT_EQ(ontology.description(0), "name 5");
  EXPECT_EQ(stats.athena.num_shared_codes, 1);
  EXPECT_EQ(stats.athena.num_self_parents, 1);
}

TEST(Athena, ReadsCarriageReturnsBlankLinesByteOrderMarkAndMissingLastLineEnd) {
  const TestFolder folder;
  write_text(folder / "CONCEPT.csv",
             "\xEF\xBB\xBF"
             "concept_id\tconcept_name\tvocabulary_id\tstandard_concept\tconcept_code\r\n"
             "1\tone\tV\tS\ta\r\n\r\n2\tcaf\xE9\tV\tS\tb\t\t\r\n3\t\tV\tS\tc");
  write_text(folder / "CONCEPT_RELATIONSHIP.csv", "concept_id_1\tconcept_id_2\trelationship_id");
  write_text(folder / "CONCEPT_ANCESTOR.csv",
             "ancestor_concept_id\tdescendant_concept_id\tmin_levels_of_separation\r\n"
             "1\t2\t1\r\n2\t3\t1");
  const Ontology ontology = build_full(folder.path());
  EXPECT_EQ(parents_of(ontology), (CodeMap{{"V/a", {}}, {"V/b", {"V/a"}}, {"V/c", {"V/b"}}}));
  EXPECT_EQ(ontology.description(1), "caf\xEF\xBF\xBD");
  EXPECT_EQ(ontology.description(2), "");
}

TEST(Athena, NamesTheRowOfABadIdOrARaggedRow) {
  const TestFolder folder;
  const std::string good = concept_row("1", "V", "a", "S");
  write_athena(folder, good + concept_row("2x", "V", "b", "S"), "", "");
  expect_words(data_error(folder.path()), {"CONCEPT.csv: row 1", "'concept_id'", "Fix: "});
  write_athena(folder, good + good + "3\tbroken\n", "", "");
  expect_words(data_error(folder.path()), {"CONCEPT.csv: row 2", "2 fields, the header 10"});
  write_athena(folder, good, "", "1\t1\t0\t0\tmore\n");
  expect_words(data_error(folder.path()),
               {"CONCEPT_ANCESTOR.csv: row 0", "5 fields, the header 4"});
}

TEST(Athena, NamesTheRowOfAnIdOutOfRange) {
  const TestFolder folder;
  const std::string good =
      concept_row("0", "V", "a", "S") + concept_row("4294967295", "V", "b", "S");
  write_athena(folder, good, "", "");
  EXPECT_EQ(build_full(folder.path()).num_nodes(), 2);
  for (const std::string id : {"-1", "4294967296"}) {
    write_athena(folder, good + concept_row(id, "V", "c", "S"), "", "");
    const std::string message = data_error(folder.path());
    expect_words(message, {"CONCEPT.csv: row 2: column 'concept_id': no concept has this number",
                           "0 to 4294967295"});
  }
}

TEST(Athena, NamesWhatIsMissing) {
  const TestFolder folder;
  expect_words(data_error(folder / "nowhere"), {"nowhere", "no such folder", "Fix: "});
  write_athena(folder, "", "", "");
  expect_words(data_error(folder.path()), {"CONCEPT.csv: it holds no concept", "Fix: "});
  write_athena(folder, concept_row("1", "V", "a", "S"), "", "");
  EXPECT_EQ(build_full(folder.path()).num_nodes(), 1);
  std::filesystem::remove(folder / "CONCEPT_ANCESTOR.csv");
  expect_words(data_error(folder.path()), {"CONCEPT_ANCESTOR.csv: there is no such file", "Fix: "});
  write_text(folder / "CONCEPT_ANCESTOR.csv", "");
  expect_words(data_error(folder.path()), {"CONCEPT_ANCESTOR.csv", "no header line"});
}

TEST(Athena, DoesNotDependOnTheOrderOfRows) {
  const std::string folder = reference_path("motor/g60/athena");
  const TestFolder shuffled;
  for (const char* name : {"CONCEPT.csv", "CONCEPT_RELATIONSHIP.csv", "CONCEPT_ANCESTOR.csv"}) {
    std::string text = read_file(folder + "/" + name);
    std::vector<std::string> rows;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin) + 1;
      rows.push_back(text.substr(begin, end - begin));
      begin = end;
    }
    std::reverse(rows.begin() + 1, rows.end());
    std::rotate(rows.begin() + 1, rows.begin() + rows.size() / 3, rows.end());
    std::string result;
    for (const auto& row : rows) result += row;
    write_text(shuffled / name, result);
  }
  const DataCodes data = read_data_codes(reference_path("motor/g60/meds/data"));
  std::vector<std::string> contents;
  for (const auto& athena : {folder, shuffled.path()}) {
    for (const int num_threads : {1, 3}) {
      const OntologyOptions options{.athena = athena, .num_threads = num_threads};
      build_ontology(options, data.codes, data.counts, nullptr).write(shuffled / "pruned.parquet");
      build_full_ontology(options, nullptr).write(shuffled / "full.parquet");
      contents.push_back(read_file(shuffled / "pruned.parquet") +
                         read_file(shuffled / "full.parquet"));
    }
  }
  for (const auto& content : contents) EXPECT_TRUE(content == contents.front());
}

TEST(BadAthena, MissingColumnIsNamed) {
  BadInputs inputs;
  expect_words(data_error(inputs.path("16_athena_missing_column")),
               {"CONCEPT.csv: column 'concept_code'", "Fix: "});
}

TEST(BadAthena, WrongDelimiterIsNamed) {
  BadInputs inputs;
  expect_words(data_error(inputs.path("17_athena_wrong_delimiter")),
               {"CONCEPT.csv", "','", "tab", "Fix: "});
}

TEST(BadAthena, CycleIsNamedAndBroken) {
  BadInputs inputs;
  const Ontology good = build_full(inputs.path("good_controls/athena"));
  WarningCatcher catcher;
  OntologyStats stats;
  const Ontology ontology = build_full(inputs.path("18_athena_cycle"), &stats);
  EXPECT_EQ(ontology.num_nodes(), good.num_nodes());
  EXPECT_GE(stats.num_broken_cycles, 1);
  ASSERT_GE(catcher.warnings.size(), 1u);
  expect_words(catcher.warnings[0], {"cycle", " -> ", "left out"});
  EXPECT_EQ(good.num_broken_edges(), 0);
}

TEST(BadAthena, HugeFieldIsReadInLinearTime) {
  BadInputs inputs;
  const auto start = std::chrono::steady_clock::now();
  const Ontology ontology = build_full(inputs.path("19_athena_huge_field"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  const Ontology good = build_full(inputs.path("good_controls/athena"));
  EXPECT_EQ(parents_of(ontology), parents_of(good));
  size_t longest = 0;
  for (const auto& [code, text] : descriptions_of(ontology))
    longest = std::max(longest, text.size());
  EXPECT_EQ(longest, size_t{8} << 20);
}

TEST(BadAthena, DanglingRowsAreCountedAndSkipped) {
  BadInputs inputs;
  WarningCatcher catcher;
  OntologyStats stats;
  const Ontology ontology = build_full(inputs.path("20_athena_dangling"), &stats);
  EXPECT_EQ(stats.athena.num_dangling_relationships, 1);
  EXPECT_EQ(stats.athena.num_dangling_ancestors, 1);
  EXPECT_EQ(catcher.warnings.size(), 2u);
  EXPECT_EQ(parents_of(ontology), parents_of(build_full(inputs.path("good_controls/athena"))));
}

TEST(BadAthena, AlmostAllAncestorsDangling) {
  SEQUELA_NEED_SHARED();
  OntologyStats stats;
  const Ontology ontology = build_full(shared_path("data/omoplite_100"), &stats);
  EXPECT_EQ(stats.athena.num_concepts, 1'739);
  EXPECT_EQ(stats.athena.num_ancestors + stats.athena.num_self_parents, 2);
  EXPECT_EQ(stats.athena.num_dangling_ancestors, 671);
  EXPECT_GT(ontology.num_nodes(), 1'700);
}

}  // namespace
}  // namespace sequela
