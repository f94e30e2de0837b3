#include "sequela/tokenizer/vocabulary.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;

TEST(Vocabulary, ReadsBothBundlesOfTheTutorial) {
  SEQUELA_NEED_SHARED();
  const auto flat =
      Vocabulary::read(shared_path("data/femr_tutorial/clmbr_model/dictionary.msgpack"));
  EXPECT_FALSE(flat.is_hierarchical);
  EXPECT_EQ(flat.entries.size(), 128u);
  EXPECT_EQ(flat.entries[0].code_string, "SNOMED/184099003");
  EXPECT_DOUBLE_EQ(flat.age_stats.age.mean, 27891931.68852623);
  EXPECT_DOUBLE_EQ(flat.age_stats.log_delta.std, 24895379.33156272);

  const auto deep =
      Vocabulary::read(shared_path("data/femr_tutorial/motor_model/dictionary.msgpack"));
  EXPECT_TRUE(deep.is_hierarchical);
  EXPECT_EQ(deep.entries.size(), 2389u);
  EXPECT_EQ(deep.entries[0].type, Type::code);
  EXPECT_EQ(deep.entries[0].code_string, "MEDS_BIRTH");
  EXPECT_DOUBLE_EQ(deep.age_stats.log_age.mean, 16.674806081486796);
}

TEST(Vocabulary, WritesWhatFemrWrites) {
  SEQUELA_NEED_SHARED();
  TestFolder folder;
  for (const char* name : {"g60", "tutorial"}) {
    const std::string path =
        shared_path(std::string("parity/motor/") + name + "/tokenizer/dictionary.msgpack");
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

TEST(Vocabulary, RefusesBrokenFiles) {
  SEQUELA_NEED_SHARED();
  for (const char* name : {"24_dict_truncated", "25_dict_nested_bomb"}) {
    const std::string folder = shared_path(std::string("data/bad/") + name);
    int num_found = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      if (file.path().filename() != "dictionary.msgpack") continue;
      ++num_found;
      EXPECT_THROW(Vocabulary::read(file.path()), FileError) << name;
    }
    EXPECT_EQ(num_found, 1) << name;
  }
}

}  // namespace
}  // namespace sequela
