#include "sequela/tokenizer/vocabulary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/io/msgpack.h"
#include "tests/support/bad_inputs.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;

class VocabularyOfFemr : public OnReference {};

TEST_P(VocabularyOfFemr, ReadsBothBundlesOfTheTutorial) {
  const std::string flat_path = tutorial_path("clmbr_model/dictionary.msgpack");
  const auto flat = Vocabulary::read(flat_path);
  EXPECT_FALSE(flat.is_hierarchical);
  EXPECT_EQ(flat.entries.size(), 128u);
  EXPECT_EQ(flat.entries[0].code_string, "SNOMED/184099003");
  const MsgpackDocument one_age(flat_path);
  const MsgpackValue& stats = one_age.root().at("age_stats");
  EXPECT_DOUBLE_EQ(flat.age_stats.age.mean, stats.at("mean").as_double());
  EXPECT_DOUBLE_EQ(flat.age_stats.log_delta.std, stats.at("std").as_double());

  const std::string deep_path = tutorial_path("motor_model/dictionary.msgpack");
  const auto deep = Vocabulary::read(deep_path);
  const MsgpackDocument document(deep_path);
  EXPECT_TRUE(deep.is_hierarchical);
  EXPECT_EQ(deep.entries.size(), document.root().at("vocab").as_array().size());
  EXPECT_EQ(deep.entries[0].type, Type::code);
  EXPECT_EQ(deep.entries[0].code_string, "MEDS_BIRTH");
  EXPECT_DOUBLE_EQ(deep.age_stats.log_age.mean,
                   document.root().at("age_stats").at("log_age").at("mean").as_double());
}

TEST_P(VocabularyOfFemr, WritesWhatFemrWrites) {
  TestFolder folder;
  for (const char* name : {"g60", "tutorial"}) {
    const std::string path =
        reference_path(std::string("motor/") + name + "/tokenizer/dictionary.msgpack");
    Vocabulary::read(path).write(folder / "copy.msgpack");
    EXPECT_EQ(read_file(folder / "copy.msgpack"), read_file(path)) << name;
  }
}

TEST(Vocabulary, KeepsTextsOfProperties) {
  TestFolder folder;
  Vocabulary vocabulary;
  VocabularyEntry entry;
  entry.type = Type::text;
  entry.property = "text_value";
  entry.text_string = "mild";
  entry.weight = -0.25;
  vocabulary.entries = {entry};
  vocabulary.write(folder / "dictionary.msgpack");
  const Vocabulary read = Vocabulary::read(folder / "dictionary.msgpack");
  ASSERT_EQ(read.entries.size(), 1u);
  EXPECT_EQ(read.entries[0].property, "text_value");
  EXPECT_EQ(read.entries[0].text_string, "mild");
  EXPECT_EQ(read.entries[0].weight, -0.25);
}

TEST(Vocabulary, KeepsBinsOfOneCode) {
  TestFolder folder;
  Vocabulary vocabulary;
  VocabularyEntry entry;
  entry.type = Type::numeric;
  entry.code_string = "LOINC/2823-3";
  entry.property = "numeric_value";
  entry.val_start = 5.1;
  entry.val_end = INFINITY;
  entry.weight = -0.25;
  vocabulary.entries = {entry};
  vocabulary.write(folder / "dictionary.msgpack");
  const Vocabulary read = Vocabulary::read(folder / "dictionary.msgpack");
  ASSERT_EQ(read.entries.size(), 1u);
  EXPECT_EQ(read.entries[0].code_string, "LOINC/2823-3");
  EXPECT_EQ(read.entries[0].property, "numeric_value");
  EXPECT_EQ(read.entries[0].val_start, 5.1);
  EXPECT_EQ(read.entries[0].val_end, INFINITY);
}

TEST(Vocabulary, RefusesBrokenFiles) {
  BadInputs inputs;
  for (const char* name : {"24_dict_truncated", "25_dict_nested_bomb"}) {
    const std::string folder = inputs.path(name);
    int num_found = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      if (file.path().filename() != "dictionary.msgpack") continue;
      ++num_found;
      EXPECT_THROW(Vocabulary::read(file.path()), FileError) << name;
    }
    EXPECT_EQ(num_found, 1) << name;
  }
}

SEQUELA_ON_REFERENCES(VocabularyOfFemr);

}  // namespace
}  // namespace sequela
