#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sequela/tokenizer/sequence/code_vocabulary.h"

namespace sequela {

// Tokens of many texts in a row. Text i has those from offsets[i] to offsets[i + 1].
struct TextTokens {
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> ids;
  std::vector<int32_t> token_types;  // 0; 1 for the second text of a pair and its [SEP]
  // Where the token came from in its text, in characters (code points), [begin, end); (0, 0) for
  // [CLS] and [SEP].
  std::vector<std::pair<int32_t, int32_t>> spans;

  int64_t num_texts() const { return static_cast<int64_t>(offsets.size()) - 1; }
  std::span<const int32_t> ids_of(int64_t i) const {
    return {ids.data() + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
};

struct WordPieceOptions {
  // Empty = as the folder says. A folder that does not say lower-cases, as transformers does, and a
  // warning is logged.
  std::optional<bool> do_lower_case;
  // Tokens of a text with [CLS] and [SEP]; 0 = the folder's model_max_length, or 512 if it has
  // none. Longer texts lose their end, and are counted.
  int64_t max_length = 0;
};

// ClinicalBERT's text to ids: [CLS] text [SEP], by BERT's BasicTokenizer (clean, spaces round CJK
// characters, lower-case and strip accents, split off punctuation) and WordPiece (longest match
// first). The names of special tokens in the text are those tokens.
//
// Source: transformers 4.45, BertTokenizerFast (tokenizers 0.20); ids, tokens and spans equal its.
class WordPieceTokenizer {
 public:
  // FileError if the folder's vocabulary lacks [UNK], [CLS] or [SEP].
  static WordPieceTokenizer read(const std::string& folder, const WordPieceOptions& options = {});
  WordPieceTokenizer(CodeVocabulary vocabulary, const WordPieceOptions& options);

  // Appends to `tokens`. Bytes that are not UTF-8 count as U+FFFD. Safe from many threads.
  void append(std::string_view text, TextTokens* tokens) const;
  // [CLS] first [SEP] second [SEP]; too long a pair loses tokens of the longer text's end.
  void append_pair(std::string_view first, std::string_view second, TextTokens* tokens) const;

  const CodeVocabulary& vocabulary() const { return vocabulary_; }
  bool lower_cases() const { return lower_cases_; }
  int64_t max_length() const { return max_length_; }

 private:
  // A normalised character and the place in the text of the one it came from.
  struct Character {
    char32_t c;
    int32_t at;
  };
  struct Pieces;  // tokens of one text, and room to work in
  void split_text(std::string_view text, Pieces* pieces) const;
  void add_character(char32_t c, int32_t at, Pieces* pieces) const;
  void add_normalised(char32_t c, int32_t at, Pieces* pieces) const;
  void end_word(Pieces* pieces) const;
  size_t find_named(std::u32string_view text) const;  // index into named_, or its size
  void append_pieces(const Pieces& pieces, size_t count, int32_t token_type,
                     TextTokens* tokens) const;

  CodeVocabulary vocabulary_;
  // Tokens that begin a word, and those that continue one, without their prefix.
  TextTable starts_, continuations_;
  std::vector<int32_t> start_ids_, continuation_ids_;
  size_t longest_ = 0;                                     // bytes
  std::vector<std::pair<std::u32string, int32_t>> named_;  // longest first
  std::u32string named_starts_;                            // first characters of these
  bool lower_cases_ = true;
  bool strips_accents_ = true;
  int64_t max_length_ = 512;
  int32_t unknown_ = 0;
  int32_t cls_ = 0;
  int32_t separator_ = 0;
};

}  // namespace sequela
