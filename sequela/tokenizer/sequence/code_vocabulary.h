#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/text_table.h"

namespace sequela {

// Ids of the tokens that stand for no code; empty where the vocabulary has none.
struct SpecialTokens {
  std::optional<int32_t> pad;        // [PAD]; Med-BERT: empty_pad
  std::optional<int32_t> unknown;    // [UNK] or [OOV]
  std::optional<int32_t> cls;        // [CLS]
  std::optional<int32_t> separator;  // [SEP]
  std::optional<int32_t> mask;       // [MASK]; Med-BERT: empty_pad
};

// What a tokenizer.json says besides its vocabulary, and what tokenizer_config.json adds.
struct TokenizerSettings {
  std::string model = "WordLevel";  // or "WordPiece"
  std::string continuing_prefix = "##";
  int64_t max_word_chars = 100;             // longer words are unknown
  std::optional<bool> do_lower_case;        // empty = no file says
  std::optional<bool> strip_accents;        // empty = as do_lower_case
  bool clean_text = true;                   // drop control characters
  bool tokenize_chinese_chars = true;       // spaces round CJK characters
  std::optional<int64_t> model_max_length;  // tokens, [CLS] and [SEP] counted
};

// The vocabulary of an encoder: code <-> id, both ways. Ids are what the file says, not the order
// of its lines or keys; there may be gaps.
//
// Files: tokenizer.json (Hugging Face tokenizers: models WordLevel and WordPiece, with
// added_tokens), vocab.txt (a token a line; the line's number is the id), vocab.json (a list, or an
// object of code -> id), Med-BERT's .types (a pickled dict of code -> id). Untrusted: sizes, types
// and depth are checked; two codes of one id, an id that is negative or above 2^28, or text that is
// not JSON are a FileError that names the file.
class CodeVocabulary {
 public:
  CodeVocabulary() = default;
  // The vocabulary of an encoder folder: the first there is of tokenizer.json, vocab.txt,
  // vocab.json, *.types; beside all but the first added_tokens.json counts. Special tokens are
  // taken by the names that special_tokens_map.json and tokenizer_config.json give, else by their
  // usual names. Empty if the folder has none of the files; a FileError if there is no such folder.
  static std::optional<CodeVocabulary> find(const std::string& folder);
  // The same, but no vocabulary is a FileError.
  static CodeVocabulary read_folder(const std::string& folder);
  // One file, its form by its name's end. What lies beside it is not looked at.
  static CodeVocabulary read_file(const std::string& path);
  // Ids 0, 1, ... in this order. std::invalid_argument on a code that comes twice.
  static CodeVocabulary from_codes(const std::vector<std::string>& codes);

  // Largest id + 1: the rows that an embedding table must have.
  int32_t size() const { return static_cast<int32_t>(entry_of_id_.size()); }
  int32_t num_codes() const { return codes_.size(); }
  std::optional<int32_t> find_id(std::string_view code) const;
  int32_t id_or(std::string_view code, int32_t otherwise) const;
  // Empty for an id without a code, also one out of range. Lives as long as the vocabulary.
  std::string_view code(int32_t id) const;
  bool has_code(int32_t id) const {
    return id >= 0 && id < size() && entry_of_id_[static_cast<size_t>(id)] >= 0;
  }

  const SpecialTokens& special() const { return special_; }
  bool is_special(int32_t id) const;  // one of special(), or CEHR-BERT's [UNUSED]
  // FileErrors (naming the file) where the vocabulary has no such token.
  int32_t require_unknown() const;
  int32_t require_pad() const;
  int32_t require_cls() const;
  int32_t require_mask() const;
  // FileError if ids go beyond a model's embedding rows; the remedy is resize_vocabulary.
  void check_fits(int64_t num_rows) const;

  const TokenizerSettings& settings() const { return settings_; }
  // Ids of the special and the added tokens: tokenizers know them by name in any text.
  const std::vector<int32_t>& named_ids() const { return named_ids_; }
  const std::string& path() const { return path_; }  // empty if not from a file

  // Adds a code with the next free id (size()); the id it has if it is there.
  int32_t add(std::string_view code);
  // Writes vocab.json (code -> id), atomically.
  void write_json(const std::string& path) const;

 private:
  friend class CodeVocabularyReader;
  void insert(std::string_view code, int64_t id);
  void find_special(const std::map<std::string, std::string>& names);

  std::string path_;
  TextTable codes_;
  std::vector<int32_t> ids_;          // of each entry of codes_
  std::vector<int32_t> entry_of_id_;  // -1 = a gap
  SpecialTokens special_;
  std::vector<int32_t> special_ids_;
  std::vector<int32_t> named_ids_;
  TokenizerSettings settings_;
};

}  // namespace sequela
