#include "sequela/tokenizer/sequence/word_piece.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "tests/support/test_folder.h"
#include "tests/tokenizer/encoder_fixtures.h"

namespace sequela {
namespace {

using Ids = std::vector<int32_t>;

Ids encode(const WordPieceTokenizer& tokenizer, const std::string& text) {
  TextTokens tokens;
  tokenizer.append(text, &tokens);
  return tokens.ids;
}

void expect_fixture(const std::string& name) {
  const Json strings = read_json_fixture("c_clinicalbert/strings.json");
  const Json expected = read_json_fixture("c_clinicalbert/expected_ids.json").at(name);
  const auto tokenizer = WordPieceTokenizer::read(bert_path("c_clinicalbert/" + name));
  EXPECT_EQ(tokenizer.lower_cases(), expected["do_lower_case"].get<bool>());
  TextTokens tokens;
  for (const Json& text : strings) tokenizer.append(text.get<std::string>(), &tokens);
  ASSERT_EQ(tokens.num_texts(), static_cast<int64_t>(strings.size()));
  for (int64_t i = 0; i < tokens.num_texts(); ++i) {
    Ids ids;
    std::vector<std::string> texts;
    std::vector<std::pair<int32_t, int32_t>> spans;
    for (int64_t at = tokens.offsets[i]; at < tokens.offsets[i + 1]; ++at) {
      ids.push_back(tokens.ids[at]);
      texts.emplace_back(tokenizer.vocabulary().code(tokens.ids[at]));
      spans.push_back(tokens.spans[at]);
      EXPECT_EQ(tokens.token_types[at], 0);
    }
    EXPECT_EQ(ids, expected["fast_input_ids"][i].get<Ids>()) << name << " string " << i;
    EXPECT_EQ(texts, expected["tokens_fast"][i].get<std::vector<std::string>>()) << i;
    EXPECT_EQ(spans, (expected["offsets_fast"][i].get<std::vector<std::pair<int32_t, int32_t>>>()))
        << name << " string " << i;
  }
}

class WordPieceOfPeer : public OnReference {};

TEST_P(WordPieceOfPeer, IdsTokensAndSpansOfAllFolders) {
  for (const char* name : {"uncased", "cased", "cased_vocab_no_config"}) expect_fixture(name);
}

TEST_P(WordPieceOfPeer, FolderWithoutConfigWarnsAndCanBeOverridden) {
  std::vector<std::string> warnings;
  set_log_sink([&](LogLevel, const std::string& message) { warnings.push_back(message); });
  const std::string folder = bert_path("c_clinicalbert/cased_vocab_no_config");
  EXPECT_TRUE(WordPieceTokenizer::read(folder).lower_cases());
  EXPECT_EQ(warnings.size(), 1u);
  const auto cased = WordPieceTokenizer::read(folder, {.do_lower_case = false});
  set_log_sink(nullptr);
  EXPECT_EQ(warnings.size(), 1u);
  const auto other = WordPieceTokenizer::read(bert_path("c_clinicalbert/cased"));
  EXPECT_EQ(encode(cased, "Patient denies BP 142"), encode(other, "Patient denies BP 142"));
}

TEST_P(WordPieceOfPeer, Pairs) {
  const Json all = read_json_fixture("c_clinicalbert/expected_ids.json");
  for (const char* name : {"uncased", "cased", "cased_vocab_no_config"}) {
    const auto tokenizer =
        WordPieceTokenizer::read(bert_path(std::string("c_clinicalbert/") + name));
    TextTokens tokens;
    tokenizer.append_pair("chest pain", "since 3 days", &tokens);
    const Json& pair = all.at(name).at("pair");
    EXPECT_EQ(tokens.ids, pair["input_ids"].get<Ids>());
    EXPECT_EQ(tokens.token_types, pair["token_type_ids"].get<Ids>());
  }
}

TEST_P(WordPieceOfPeer, LongTextsLoseTheirEnd) {
  const auto tokenizer =
      WordPieceTokenizer::read(bert_path("c_clinicalbert/uncased"), {.max_length = 6});
  const auto id = [&](const char* word) { return *tokenizer.vocabulary().find_id(word); };
  const int32_t patient = id("patient"), denies = id("denies"), chest = id("chest"),
                pain = id("pain");
  EXPECT_EQ(encode(tokenizer, "patient denies chest pain patient denies"),
            (Ids{2, patient, denies, chest, pain, 3}));
  TextTokens pair;
  tokenizer.append_pair("patient denies chest pain", "pain", &pair);
  EXPECT_EQ(pair.ids, (Ids{2, patient, denies, 3, pain, 3}));
  TextTokens even;
  tokenizer.append_pair("patient denies chest pain", "pain chest denies patient", &even);
  EXPECT_EQ(even.ids, (Ids{2, patient, 3, pain, chest, 3}));
  EXPECT_EQ(even.token_types, (Ids{0, 0, 0, 1, 1, 1}));
}

TEST_P(WordPieceOfPeer, InvalidBytesAreDropped) {
  const auto tokenizer = WordPieceTokenizer::read(bert_path("c_clinicalbert/uncased"));
  EXPECT_EQ(encode(tokenizer, "chest\xFF pain\xC3"), encode(tokenizer, "chest pain"));
}

TEST(WordPiece, NeedsItsSpecialTokens) {
  EXPECT_THROW(WordPieceTokenizer(CodeVocabulary::from_codes({"[UNK]", "[CLS]", "a"}), {}),
               FileError);
}

SEQUELA_ON_REFERENCES(WordPieceOfPeer);

}  // namespace
}  // namespace sequela
