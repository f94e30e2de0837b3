#include "sequela/tokenizer/sequence/vocabulary_files.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/io/weights/pickle.h"

namespace sequela {
namespace {

using LargeJson = nlohmann::json;

constexpr size_t kMaxBytes = size_t{1} << 30;
constexpr int kMaxDepth = 64;
constexpr const char* kSpecialKeys[] = {"pad_token", "unk_token", "cls_token", "sep_token",
                                        "mask_token"};

bool ends_with(const std::string& path, std::string_view end) {
  return path.size() >= end.size() &&
         std::string_view(path).substr(path.size() - end.size()) == end;
}

int64_t to_id(const LargeJson& value, const std::string& path) {
  if (!value.is_number_integer()) throw FileError(path, "a code's id is not an integer");
  if (value.is_number_unsigned() && value.get<uint64_t>() > (uint64_t{1} << 62)) {
    throw FileError(path, "a code's id is too large");
  }
  return value.get<int64_t>();
}

void read_map(const LargeJson& map, const std::string& path, VocabularyFile* file) {
  file->entries.reserve(map.size());
  for (const auto& [code, id] : map.items()) file->entries.emplace_back(code, to_id(id, path));
}

void read_list(const LargeJson& list, const std::string& path, VocabularyFile* file) {
  file->entries.reserve(list.size());
  int64_t id = 0;
  for (const LargeJson& code : list) {
    if (!code.is_string()) throw FileError(path, str("entry ", id, " is not a string"));
    file->entries.emplace_back(code.get_ref<const std::string&>(), id++);
  }
}

void read_added_tokens(const LargeJson& root, const std::string& path, VocabularyFile* file) {
  const auto tokens = root.find("added_tokens");
  if (tokens == root.end() || tokens->is_null()) return;
  if (!tokens->is_array()) throw FileError(path, "'added_tokens' is not a list");
  for (const LargeJson& token : *tokens) {
    if (!token.is_object() || !token.contains("id") || !token.contains("content") ||
        !token["content"].is_string()) {
      throw FileError(path, "an entry of 'added_tokens' lacks its id or content");
    }
    file->added.emplace_back(token["content"].get<std::string>(), to_id(token["id"], path));
  }
}

void read_text(const LargeJson& object, const char* key, std::string* value) {
  const auto found = object.find(key);
  if (found != object.end() && found->is_string()) *value = found->get<std::string>();
}

void read_flag(const LargeJson& object, const char* key, std::optional<bool>* value) {
  const auto found = object.find(key);
  if (found != object.end() && found->is_boolean()) *value = found->get<bool>();
}

void read_flag(const LargeJson& object, const char* key, bool* value) {
  const auto found = object.find(key);
  if (found != object.end() && found->is_boolean()) *value = found->get<bool>();
}

void read_count(const LargeJson& object, const char* key, int64_t* value) {
  const auto found = object.find(key);
  if (found != object.end() && found->is_number_unsigned()) {
    *value = static_cast<int64_t>(std::min<uint64_t>(found->get<uint64_t>(), 1u << 30));
  }
}

void read_tokenizer_json(const LargeJson& root, const std::string& path, VocabularyFile* file) {
  const LargeJson& model = root["model"];
  if (!model.is_object()) throw FileError(path, "'model' is not an object");
  TokenizerSettings& settings = file->settings;
  if (model.contains("continuing_subword_prefix")) settings.model = "WordPiece";
  read_text(model, "type", &settings.model);
  if (settings.model != "WordLevel" && settings.model != "WordPiece") {
    throw FileError(path, str("the tokenizer's model is '", settings.model, "'"),
                    "use an encoder with a WordLevel or WordPiece tokenizer");
  }
  if (!model.contains("vocab") || !model["vocab"].is_object()) {
    throw FileError(path, "'model' has no 'vocab' object");
  }
  read_map(model["vocab"], path, file);
  read_added_tokens(root, path, file);
  read_text(model, "continuing_subword_prefix", &settings.continuing_prefix);
  read_count(model, "max_input_chars_per_word", &settings.max_word_chars);
  std::string unknown;
  read_text(model, "unk_token", &unknown);
  if (!unknown.empty()) file->special["unk_token"] = unknown;
  const auto normalizer = root.find("normalizer");
  if (normalizer != root.end() && normalizer->is_object()) {
    read_flag(*normalizer, "clean_text", &settings.clean_text);
  }
}

void read_json(const std::string& path, VocabularyFile* file) {
  const LargeJson root = read_large_json(path);
  if (root.is_array()) return read_list(root, path, file);
  if (!root.is_object()) throw FileError(path, "the vocabulary is neither a list nor an object");
  if (root.contains("model") && root["model"].is_object()) {
    return read_tokenizer_json(root, path, file);
  }
  read_map(root, path, file);
}

void read_lines(const std::string& path, VocabularyFile* file) {
  const std::string text = read_file(path, kMaxBytes);
  std::string_view left = text;
  for (int64_t id = 0; !left.empty(); ++id) {
    const size_t end = left.find('\n');
    std::string_view line = left.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    file->entries.emplace_back(line, id);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  }
}

void read_types(const std::string& path, VocabularyFile* file) {
  const PickleValue root = read_pickle_file(path);
  if (!root.is_dict()) throw FileError(path, "the code map is not a dict");
  for (const auto& [code, id] : root.dict()) {
    if (!code.is_text() || !id.is_int()) {
      throw FileError(path, "the code map holds something else than text -> integer");
    }
    file->entries.emplace_back(code.text(), id.integer());
  }
}

// "[UNK]" or {"content": "[UNK]", ...}
std::string token_text(const LargeJson& token) {
  if (token.is_string()) return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string()) {
    return token["content"].get<std::string>();
  }
  return "";
}

LargeJson read_object_if_any(const std::string& path) {
  if (!std::filesystem::exists(path)) return LargeJson::object();
  LargeJson root = read_large_json(path);
  if (!root.is_object()) throw FileError(path, "this is not a JSON object");
  return root;
}

void add_special(const LargeJson& root, VocabularyFile* file) {
  for (const char* key : kSpecialKeys) {
    if (!root.contains(key)) continue;
    const std::string text = token_text(root[key]);
    if (!text.empty()) file->special[key] = text;
  }
}

}  // namespace

LargeJson read_large_json(const std::string& path) {
  const std::string text = read_file(path, kMaxBytes);
  const auto check_depth = [&](int depth, LargeJson::parse_event_t, LargeJson&) {
    if (depth > kMaxDepth) throw FileError(path, str("JSON nested deeper than ", kMaxDepth));
    return true;
  };
  try {
    return LargeJson::parse(text, check_depth);
  } catch (const nlohmann::json::exception&) {
    throw FileError(path, "not valid JSON");
  }
}

VocabularyFile read_vocabulary_file(const std::string& path) {
  VocabularyFile file;
  if (ends_with(path, ".json"))
    read_json(path, &file);
  else if (ends_with(path, ".types"))
    read_types(path, &file);
  else
    read_lines(path, &file);
  if (file.entries.empty() && file.added.empty()) throw FileError(path, "the vocabulary is empty");
  return file;
}

void read_added_tokens_file(const std::string& folder, VocabularyFile* file) {
  const std::string path = folder + "/added_tokens.json";
  const LargeJson tokens = read_object_if_any(path);
  for (const auto& [token, id] : tokens.items()) {
    file->added.emplace_back(token, to_id(id, path));
  }
}

void read_tokenizer_config(const std::string& folder, VocabularyFile* file) {
  add_special(read_object_if_any(folder + "/special_tokens_map.json"), file);
  const LargeJson config = read_object_if_any(folder + "/tokenizer_config.json");
  add_special(config, file);
  TokenizerSettings& settings = file->settings;
  read_flag(config, "do_lower_case", &settings.do_lower_case);
  read_flag(config, "strip_accents", &settings.strip_accents);
  read_flag(config, "tokenize_chinese_chars", &settings.tokenize_chinese_chars);
  const auto length = config.find("model_max_length");
  // transformers writes 1e30 for "no limit".
  if (length != config.end() && length->is_number_unsigned() &&
      length->get<uint64_t>() < (1u << 30)) {
    settings.model_max_length = length->get<int64_t>();
  }
}

}  // namespace sequela
