#include "sequela/tokenizer/sequence/vocabulary_mapper.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/ontology/build_ontology.h"
#include "sequela/tokenizer/sequence/code_forms.h"
#include "tests/tokenizer/encoder_fixtures.h"

namespace sequela {
namespace {

using Codes = std::vector<std::string>;

class MapperOfFolders : public OnReference {};

TEST_P(MapperOfFolders, RightIdsOfTheFixtures) {
  const Json expected = read_json_fixture("a_bert/expected_vocab_mapper.json");
  for (const auto& [name, entry] : expected.items()) {
    if (!entry.contains("right_ids")) continue;
    VocabularyMapper mapper(CodeVocabulary::read_file(bert_path("a_bert/model_st/" + name)));
    const Codes codes = entry["codes"].get<Codes>();
    EXPECT_EQ(mapper.map_codes(codes), entry["right_ids"].get<std::vector<int32_t>>()) << name;
    EXPECT_DOUBLE_EQ(mapper.get_coverage(codes), entry["seed_coverage"].get<double>());
    EXPECT_EQ(mapper.get_coverage({}), entry["coverage_empty"].get<double>());
  }
}

TEST(VocabularyMapper, AnUnknownCodeNeedsAnUnknownToken) {
  VocabularyMapper mapper(CodeVocabulary::read_file(bert_path("a_bert/vocab_no_unk.json")));
  EXPECT_EQ(mapper.map_code("[PAD]"), 0);
  EXPECT_THROW(mapper.map_code("NOPE"), FileError);
  EXPECT_EQ(mapper.get_coverage(Codes{"NOPE", "[CLS]"}), 0.5);
}

TEST(CodeForms, PrefixesDotsAndCase) {
  EXPECT_EQ(code_form("ICD10CM/e11.9").key(), "ICD10|E119");
  EXPECT_EQ(code_form("icd10:E119").key(), "ICD10|E119");
  EXPECT_EQ(code_form("ICD9_250.00").key(), "ICD9|25000");
  EXPECT_EQ(code_form("DIAGNOSIS//ICD//10//E119").key(), "ICD10|E119");
  EXPECT_EQ(code_form("PROCEDURE//ICD//9//3893").key(), "ICD9PROC|3893");
  EXPECT_EQ(code_form("E11.9").key(), "|E119");
  EXPECT_EQ(code_form("heart_failure").key(), "|HEART_FAILURE");
  EXPECT_EQ(code_form("LOINC/2160-0").key(), "LOINC|2160-0");
  EXPECT_EQ(code_form("").key(), "|");
  EXPECT_EQ(athena_spellings("ICD9:E8490").back(), "ICD9CM/E849.0");
}

TEST(VocabularyMapper, NormalisedForms) {
  VocabularyMapper mapper(
      CodeVocabulary::from_codes({"[PAD]", "[UNK]", "ICD10:E11.9", "ICD9:250.00", "RXNORM:860975",
                                  "Z00", "CPT:99213", "LOINC:99213", "x:1", "X:1"}));
  EXPECT_EQ(mapper.map_code("ICD10CM/E119"), 2);
  EXPECT_EQ(mapper.map_code("e11.9"), 2);
  EXPECT_EQ(mapper.map_code("ICD9_25000"), 3);
  EXPECT_EQ(mapper.map_code("RxNorm/860975"), 4);
  EXPECT_EQ(mapper.map_code("ICD10CM/Z00"), 5);  // the vocabulary has it without prefix
  EXPECT_EQ(mapper.map_code("CPT4/99213"), 6);
  EXPECT_EQ(mapper.map_code("99213"), 1);          // two vocabularies have it
  EXPECT_EQ(mapper.map_code("SNOMED/860975"), 1);  // another vocabulary's code
  EXPECT_EQ(mapper.map_code("X/1"), 1);            // two codes share the form
  EXPECT_EQ(mapper.map_code("pad"), 1);
  EXPECT_EQ(mapper.match("E11.9").step, MapStep::normalised);
  VocabularyMapper strict(mapper.vocabulary(), {.normalise = false});
  EXPECT_EQ(strict.map_code("e11.9"), 1);
}

// cehrbert joins the words of a code when it makes the vocabulary.
TEST(VocabularyMapper, CodesOfSeveralWords) {
  VocabularyMapper mapper(CodeVocabulary::from_codes({"[PAD]", "[UNK]", "DRUG//Morphine_Sulfate"}));
  EXPECT_EQ(mapper.map_code("DRUG//Morphine Sulfate"), 2);
  EXPECT_EQ(mapper.map_code("DRUG//Morphine \t Sulfate"), 2);
  EXPECT_EQ(mapper.map_code("drug//morphine sulfate"), 2);
  EXPECT_EQ(mapper.map_code("DRUG//Morphine"), 1);
}

std::shared_ptr<const Ontology> small_ontology() {
  return std::make_shared<const Ontology>(Ontology::build({
      {.code = "ICD10CM/E11.9", .parents = {"SNOMED/2"}},
      {.code = "ICD10CM/E11.8", .parents = {"SNOMED/3"}},
      {.code = "SNOMED/1"},
      {.code = "SNOMED/2", .parents = {"SNOMED/1"}},
      {.code = "SNOMED/3", .parents = {"SNOMED/2"}},
      {.code = "SNOMED/4", .parents = {"SNOMED/2", "SNOMED/1"}},
      {.code = "SNOMED/5", .parents = {"SNOMED/4"}},
      {.code = "ATC/A"},
  }));
}

TEST(VocabularyMapper, MapsToThenNearestAncestor) {
  VocabularyMapper mapper(CodeVocabulary::from_codes({"[UNK]", "SNOMED:2", "SNOMED:1"}), {},
                          small_ontology());
  const auto expect = [&](const char* code, int32_t id, MapStep step) {
    EXPECT_EQ(mapper.match(code).id, id) << code;
    EXPECT_STREQ(map_step_name(mapper.match(code).step), map_step_name(step)) << code;
  };
  expect("SNOMED:2", 1, MapStep::exact);
  expect("SNOMED/2", 1, MapStep::normalised);
  expect("ICD10CM/E11.9", 1, MapStep::mapped);
  expect("ICD10:E119", 1, MapStep::mapped);
  expect("ICD10CM/E11.8", 1, MapStep::ancestor);
  expect("SNOMED/3", 1, MapStep::ancestor);
  expect("SNOMED/4", 1, MapStep::ancestor);  // two at one distance: the smaller id
  expect("ATC/A", 0, MapStep::unknown);
  expect("NOPE", 0, MapStep::unknown);
  VocabularyMapper near(mapper.vocabulary(), {.max_levels = 1}, small_ontology());
  EXPECT_EQ(near.match("SNOMED/5").step, MapStep::unknown);
  EXPECT_EQ(mapper.match("SNOMED/5").step, MapStep::ancestor);
}

TEST(VocabularyMapper, ReportCountsByVocabularyAndStep) {
  VocabularyMapper mapper(CodeVocabulary::from_codes({"[UNK]", "SNOMED/2"}), {}, small_ontology());
  const Codes codes = {"SNOMED/2", "SNOMED/3", "ICD10CM/E11.9", "LAB/1", "LAB/2", "odd"};
  const std::vector<int64_t> counts = {10, 20, 30, 5, 7, 7};
  const MappingReport report = mapper.report(codes, counts, 2);
  ASSERT_EQ(report.rows.size(), 4u);
  EXPECT_EQ(report.rows[0].vocabulary, "(none)");
  EXPECT_EQ(report.rows[2].vocabulary, "LAB");
  EXPECT_EQ(report.rows[2].num_events[static_cast<int>(MapStep::unknown)], 12);
  EXPECT_EQ(report.rows[3].num_codes[static_cast<int>(MapStep::ancestor)], 1);
  EXPECT_DOUBLE_EQ(report.coverage(), 60.0 / 79);
  EXPECT_DOUBLE_EQ(report.coverage_of_codes(), 0.5);
  ASSERT_EQ(report.unknown.size(), 2u);
  EXPECT_EQ(report.unknown[0].code, "LAB/2");
  EXPECT_EQ(report.unknown[1].code, "odd");
  EXPECT_NE(report.text().find("SNOMED"), std::string::npos);
  EXPECT_EQ(mapper.report({}, {}).coverage(), 0);
  EXPECT_THROW(mapper.report(codes, std::vector<int64_t>{1}), std::invalid_argument);
}

TEST(VocabularyMapper, PlanOfNewRows) {
  VocabularyMapper mapper(CodeVocabulary::from_codes({"[UNK]", "SNOMED:2", "SNOMED/1", "SNOMED/3"}),
                          {}, small_ontology());
  const ResizePlan plan =
      mapper.plan_resize(Codes{"SNOMED/1", "SNOMED/2", "SNOMED/4", "NOPE", "SNOMED/4", "SNOMED/5"});
  EXPECT_EQ(plan.first_id, 4);
  EXPECT_EQ(plan.codes, (Codes{"SNOMED/2", "SNOMED/4", "NOPE", "SNOMED/5"}));
  EXPECT_EQ(plan.offsets, (std::vector<int64_t>{0, 1, 4, 4, 6}));
  // SNOMED/4: parents 1 and 2 in full, its sibling 3 by half.
  EXPECT_EQ(plan.neighbour_ids, (std::vector<int32_t>{1, 1, 2, 3, 1, 2}));
  EXPECT_FLOAT_EQ(plan.weights[1], 0.4f);
  EXPECT_FLOAT_EQ(plan.weights[3], 0.2f);
  EXPECT_FLOAT_EQ(plan.weights[4], 0.5f);
  EXPECT_EQ(plan.num_added(), 4);
  EXPECT_EQ(plan.num_with_neighbours(), 3);
  const ResizePlan one = mapper.plan_resize(Codes{"SNOMED/4"}, 1);
  EXPECT_EQ(one.neighbour_ids, (std::vector<int32_t>{1}));
  EXPECT_FLOAT_EQ(one.weights[0], 1);
}

TEST(VocabularyMapper, AthenaDownload) {
  OntologyOptions options;
  options.athena = reference_path("motor/g60/athena");
  const auto ontology = std::make_shared<const Ontology>(build_full_ontology(options, nullptr));
  // Of a vocabulary that has only the upper half of a chain, every code below it finds an ancestor.
  Codes codes = {"[UNK]"};
  for (int32_t node = 0; node < ontology->num_nodes(); ++node) {
    if (ontology->parents(node).empty()) codes.push_back(ontology->code(node));
  }
  VocabularyMapper mapper(CodeVocabulary::from_codes(codes), {.normalise = false}, ontology);
  for (int32_t node = 0; node < ontology->num_nodes(); ++node) {
    const CodeMatch match = mapper.match(ontology->code(node));
    ASSERT_NE(match.step, MapStep::unknown);
    const auto found = ontology->find(mapper.vocabulary().code(match.id));
    const auto all = ontology->all_parents(node);
    EXPECT_TRUE(std::binary_search(all.begin(), all.end(), *found));
  }
}

SEQUELA_ON_REFERENCES(MapperOfFolders);

}  // namespace
}  // namespace sequela
