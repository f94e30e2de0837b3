#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sequela/tokenizer/sequence/code_vocabulary.h"

namespace sequela {

// What one vocabulary file holds, as it stands there.
struct VocabularyFile {
  std::vector<std::pair<std::string, int64_t>> entries;  // a code that comes again: the last counts
  std::vector<std::pair<std::string, int64_t>> added;    // added_tokens; they win over entries
  std::map<std::string, std::string> special;            // "unk_token" -> "[UNK]"
  TokenizerSettings settings;
};

// Reads tokenizer.json, vocab.json, vocab.txt or .types, by the name's end. FileError.
VocabularyFile read_vocabulary_file(const std::string& path);

// Adds the tokens of the folder's added_tokens.json (token -> id), if it is there; a tokenizer.json
// holds its own.
void read_added_tokens_file(const std::string& folder, VocabularyFile* file);

// Adds what special_tokens_map.json and tokenizer_config.json of the folder say, if they are there.
void read_tokenizer_config(const std::string& folder, VocabularyFile* file);

// A JSON file whose objects may have many keys (parse_json is for small ones). Nesting is bounded.
// FileError.
nlohmann::json read_large_json(const std::string& path);

}  // namespace sequela
