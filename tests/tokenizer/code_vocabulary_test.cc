#include "sequela/tokenizer/sequence/code_vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "sequela/core/error.h"
#include "tests/support/test_folder.h"
#include "tests/tokenizer/encoder_fixtures.h"

namespace sequela {
namespace {

void expect_error(const std::string& path, const std::string& part) {
  try {
    CodeVocabulary::read_file(path);
    ADD_FAILURE() << path << " was read";
  } catch (const FileError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

class CodeVocabularyOfPeers : public OnReference {};

TEST_P(CodeVocabularyOfPeers, EveryFileOfAFolderGivesTheSameIds) {
  const auto codes =
      read_json_fixture("a_bert/model_st/vocab.json").get<std::vector<std::string>>();
  for (const char* name : {"tokenizer.json", "vocab.txt", "vocab.json", "vocab_dict.json",
                           "vocab_dict_shuffled.json"}) {
    const auto vocabulary =
        CodeVocabulary::read_file(bert_path(std::string("a_bert/model_st/") + name));
    EXPECT_EQ(vocabulary.size(), 500) << name;
    EXPECT_EQ(vocabulary.num_codes(), 500) << name;
    EXPECT_EQ(vocabulary.find_id(codes[42]), 42) << name;
    EXPECT_EQ(vocabulary.find_id(codes[499]), 499) << name;
    EXPECT_EQ(vocabulary.code(123), codes[123]) << name;
    EXPECT_EQ(vocabulary.special().pad, 0) << name;
    EXPECT_EQ(vocabulary.special().unknown, 1) << name;
    EXPECT_EQ(vocabulary.special().mask, 4) << name;
    EXPECT_FALSE(vocabulary.find_id("NOPE")) << name;
  }
}

TEST_P(CodeVocabularyOfPeers, FoldersOfAllFamilies) {
  EXPECT_FALSE(CodeVocabulary::find(bert_path("a_bert/bare")));
  EXPECT_THROW(CodeVocabulary::read_folder(bert_path("a_bert/bare")), FileError);
  EXPECT_THROW(CodeVocabulary::find(bert_path("no_such_folder")), FileError);

  const auto cehr = CodeVocabulary::read_folder(bert_path("b_cehrbert/classifier"));
  const Json config = read_json_fixture("b_cehrbert/classifier/config.json");
  EXPECT_EQ(cehr.size(), config.at("vocab_size").get<int32_t>());
  EXPECT_EQ(cehr.require_unknown(), 2);
  EXPECT_EQ(cehr.require_mask(), 1);
  EXPECT_EQ(cehr.require_cls(), 3);
  EXPECT_FALSE(cehr.special().separator);
  EXPECT_TRUE(cehr.is_special(4));
  EXPECT_FALSE(cehr.is_special(5));
  EXPECT_EQ(cehr.settings().model, "WordLevel");

  const auto clinical = CodeVocabulary::read_folder(bert_path("c_clinicalbert/cased"));
  EXPECT_EQ(clinical.settings().model, "WordPiece");
  EXPECT_EQ(clinical.settings().do_lower_case, false);
  EXPECT_EQ(clinical.settings().model_max_length, 128);
}

TEST_P(CodeVocabularyOfPeers, MedBertTypes) {
  const auto pickled = CodeVocabulary::read_file(bert_path("d_medbert/mb.types"));
  const auto json = CodeVocabulary::read_file(bert_path("d_medbert/types.json"));
  ASSERT_EQ(pickled.size(), json.size());
  for (int32_t id = 0; id < json.size(); ++id) EXPECT_EQ(pickled.code(id), json.code(id));
  EXPECT_EQ(pickled.require_pad(), 0);
  EXPECT_EQ(pickled.require_mask(), 0);
  EXPECT_THROW(pickled.require_unknown(), FileError);
}

TEST(CodeVocabulary, SpecialTokensByTheFoldersNames) {
  TestFolder folder;
  write_file(folder / "vocab.json", R"({"<nil>": 7, "<what>": 3, "A": 1, "[UNK]": 0})");
  write_file(folder / "special_tokens_map.json",
             R"({"pad_token": {"content": "<nil>"}, "unk_token": "<what>", "cls_token": "gone"})");
  const auto vocabulary = CodeVocabulary::read_folder(folder.path());
  EXPECT_EQ(vocabulary.special().pad, 7);
  EXPECT_EQ(vocabulary.special().unknown, 3);
  EXPECT_FALSE(vocabulary.special().cls);
  EXPECT_EQ(vocabulary.size(), 8);
  EXPECT_EQ(vocabulary.num_codes(), 4);
  EXPECT_EQ(vocabulary.code(5), "");
  EXPECT_EQ(vocabulary.code(-1), "");
  EXPECT_THROW(vocabulary.check_fits(7), FileError);
  vocabulary.check_fits(8);
}

TEST(CodeVocabulary, AddedTokensBesideAPlainVocabulary) {
  TestFolder folder;
  write_file(folder / "vocab.txt", "[PAD]\n[UNK]\nA\n");
  write_file(folder / "added_tokens.json", R"({"B": 3, "[CLS]": 4})");
  const auto vocabulary = CodeVocabulary::read_folder(folder.path());
  EXPECT_EQ(vocabulary.size(), 5);
  EXPECT_EQ(vocabulary.find_id("B"), 3);
  EXPECT_EQ(vocabulary.special().cls, 4);
  EXPECT_NE(std::ranges::find(vocabulary.named_ids(), 3), vocabulary.named_ids().end());

  // tokenizer.json holds its own.
  write_file(folder / "tokenizer.json",
             R"({"model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "A": 1}}})");
  EXPECT_EQ(CodeVocabulary::read_folder(folder.path()).size(), 2);

  std::filesystem::remove(folder / "tokenizer.json");
  write_file(folder / "added_tokens.json", R"({"B": 1})");
  EXPECT_THROW(CodeVocabulary::read_folder(folder.path()), FileError) << "two codes of one id";
}

TEST(CodeVocabulary, BadFilesAreRefusedInASentence) {
  TestFolder folder;
  const std::string path = folder / "vocab.json";
  write_file(path, "{\"a\": ");
  expect_error(path, "not valid JSON");
  write_file(path, R"({"a": -1})");
  expect_error(path, "out of range");
  write_file(path, R"({"a": 200000000})");
  expect_error(path, "out of range");
  write_file(path, R"({"a": 18446744073709551615})");
  expect_error(path, "too large");
  write_file(path, R"({"a": 1, "b": 1})");
  expect_error(path, "two codes");
  write_file(path, R"({"a": 1.5})");
  expect_error(path, "not an integer");
  write_file(path, R"(["a", 3])");
  expect_error(path, "not a string");
  write_file(path, "[]");
  expect_error(path, "empty");
  write_file(path, "3");
  expect_error(path, "neither");
  write_file(path, R"({"model": {"type": "BPE", "vocab": {"a": 0}}})");
  expect_error(path, "BPE");
  write_file(path, R"({"model": {"type": "WordLevel"}})");
  expect_error(path, "vocab");
  write_file(path, std::string(5000, '[') + std::string(5000, ']'));
  expect_error(path, "nested");
  expect_error(folder / "gone.json", "gone.json");
}

TEST(CodeVocabulary, WritesWhatItReads) {
  TestFolder folder;
  auto vocabulary = CodeVocabulary::from_codes({"[PAD]", "[UNK]", "a\"b", "\xC3\xA9"});
  EXPECT_EQ(vocabulary.add("new"), 4);
  EXPECT_EQ(vocabulary.add("a\"b"), 2);
  vocabulary.write_json(folder / "vocab.json");
  const auto copy = CodeVocabulary::read_file(folder / "vocab.json");
  ASSERT_EQ(copy.size(), 5);
  for (int32_t id = 0; id < 5; ++id) EXPECT_EQ(copy.code(id), vocabulary.code(id));
  EXPECT_THROW(CodeVocabulary::from_codes({"a", "a"}), std::invalid_argument);
}

SEQUELA_ON_REFERENCES(CodeVocabularyOfPeers);

}  // namespace
}  // namespace sequela
