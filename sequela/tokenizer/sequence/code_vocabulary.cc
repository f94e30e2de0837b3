#include "sequela/tokenizer/sequence/code_vocabulary.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/tokenizer/sequence/vocabulary_files.h"

namespace sequela {
namespace {

constexpr int64_t kMaxId = int64_t{1} << 28;
// Ids may have gaps, but not so many that they, rather than the codes, would fill the memory.
constexpr int64_t kMaxIdsPerCode = 16;
constexpr int64_t kMaxSpareIds = 1 << 20;

constexpr const char* kFileNames[] = {"tokenizer.json", "vocab.txt", "vocab.json"};

// The folder's vocabulary file, empty if there is none.
std::string find_file(const std::string& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw FileError(folder, "no such folder", "name the folder of a pre-trained encoder");
  }
  for (const char* name : kFileNames) {
    std::string path = folder + "/" + name;
    if (std::filesystem::exists(path)) return path;
  }
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".types") found.push_back(entry.path().string());
  }
  if (found.size() > 1) {
    throw FileError(folder, "there are several .types files", "keep the one of this encoder");
  }
  return found.empty() ? "" : found.front();
}

void check_ids(const VocabularyFile& file, const std::string& path) {
  const auto num_codes = static_cast<int64_t>(file.entries.size() + file.added.size());
  const int64_t limit = std::min(kMaxId, num_codes * kMaxIdsPerCode + kMaxSpareIds);
  for (const auto* entries : {&file.entries, &file.added}) {
    for (const auto& [code, id] : *entries) {
      if (id < 0 || id >= limit) {
        throw FileError(path, str("id ", id, " is out of range for ", num_codes, " codes"));
      }
    }
  }
}

}  // namespace

// Puts a vocabulary together; a friend, so that the class itself stays small.
class CodeVocabularyReader {
 public:
  static CodeVocabulary build(VocabularyFile file, const std::string& path) {
    check_ids(file, path);
    CodeVocabulary vocabulary;
    vocabulary.path_ = path;
    vocabulary.settings_ = file.settings;
    for (const auto* entries : {&file.entries, &file.added}) {
      for (const auto& [code, id] : *entries) vocabulary.insert(code, id);
    }
    vocabulary.find_special(file.special);
    vocabulary.named_ids_ = vocabulary.special_ids_;
    for (const auto& [code, id] : file.added) {
      vocabulary.named_ids_.push_back(static_cast<int32_t>(id));
    }
    return vocabulary;
  }
};

std::optional<CodeVocabulary> CodeVocabulary::find(const std::string& folder) {
  const std::string path = find_file(folder);
  if (path.empty()) return std::nullopt;
  VocabularyFile file = read_vocabulary_file(path);
  if (!path.ends_with("tokenizer.json")) read_added_tokens_file(folder, &file);
  read_tokenizer_config(folder, &file);
  return CodeVocabularyReader::build(std::move(file), path);
}

CodeVocabulary CodeVocabulary::read_folder(const std::string& folder) {
  auto vocabulary = find(folder);
  if (vocabulary) return std::move(*vocabulary);
  throw FileError(folder, "there is no vocabulary (tokenizer.json, vocab.txt, vocab.json, .types)",
                  "put the encoder's vocabulary into its folder, or give ids instead of codes");
}

CodeVocabulary CodeVocabulary::read_file(const std::string& path) {
  return CodeVocabularyReader::build(read_vocabulary_file(path), path);
}

CodeVocabulary CodeVocabulary::from_codes(const std::vector<std::string>& codes) {
  CodeVocabulary vocabulary;
  for (const std::string& code : codes) {
    if (vocabulary.codes_.find(code) >= 0) {
      throw std::invalid_argument("a code comes twice in the vocabulary");
    }
    vocabulary.insert(code, vocabulary.size());
  }
  vocabulary.find_special({});
  return vocabulary;
}

void CodeVocabulary::insert(std::string_view code, int64_t id) {
  const int32_t entry = codes_.add(code);
  if (entry == static_cast<int32_t>(ids_.size())) ids_.push_back(0);
  ids_[static_cast<size_t>(entry)] = static_cast<int32_t>(id);
  if (id >= size()) entry_of_id_.resize(static_cast<size_t>(id) + 1, -1);
  int32_t& holder = entry_of_id_[static_cast<size_t>(id)];
  if (holder >= 0 && holder != entry) {
    throw FileError(path_, str("two codes have the id ", id), "give each code an id of its own");
  }
  holder = entry;
}

void CodeVocabulary::find_special(const std::map<std::string, std::string>& names) {
  const auto pick = [&](const char* key, std::initializer_list<const char*> usual) {
    const auto named = names.find(key);
    if (named != names.end()) {
      if (const auto id = find_id(named->second)) return id;
    }
    for (const char* name : usual) {
      if (const auto id = find_id(name)) return id;
    }
    return std::optional<int32_t>();
  };
  special_.pad = pick("pad_token", {"[PAD]", "empty_pad"});
  special_.unknown = pick("unk_token", {"[UNK]", "[OOV]"});
  special_.cls = pick("cls_token", {"[CLS]"});
  special_.separator = pick("sep_token", {"[SEP]"});
  special_.mask = pick("mask_token", {"[MASK]", "empty_pad"});
  special_ids_.clear();
  for (const auto& id : {special_.pad, special_.unknown, special_.cls, special_.separator,
                         special_.mask, find_id("[UNUSED]")}) {
    if (id) special_ids_.push_back(*id);
  }
}

std::optional<int32_t> CodeVocabulary::find_id(std::string_view code) const {
  const int32_t entry = codes_.find(code);
  if (entry < 0) return std::nullopt;
  return ids_[static_cast<size_t>(entry)];
}

int32_t CodeVocabulary::id_or(std::string_view code, int32_t otherwise) const {
  const int32_t entry = codes_.find(code);
  return entry < 0 ? otherwise : ids_[static_cast<size_t>(entry)];
}

std::string_view CodeVocabulary::code(int32_t id) const {
  return has_code(id) ? codes_.text(entry_of_id_[static_cast<size_t>(id)]) : std::string_view();
}

bool CodeVocabulary::is_special(int32_t id) const {
  return std::find(special_ids_.begin(), special_ids_.end(), id) != special_ids_.end();
}

namespace {

int32_t require(const std::optional<int32_t>& id, const std::string& path, const char* name) {
  if (id) return *id;
  throw FileError(path.empty() ? "vocabulary" : path, str("there is no ", name, " token"),
                  str("add ", name, " to the vocabulary, or name it in special_tokens_map.json"));
}

}  // namespace

int32_t CodeVocabulary::require_unknown() const {
  return require(special_.unknown, path_, "[UNK] or [OOV]");
}
int32_t CodeVocabulary::require_pad() const {
  return require(special_.pad, path_, "[PAD]");
}
int32_t CodeVocabulary::require_cls() const {
  return require(special_.cls, path_, "[CLS]");
}
int32_t CodeVocabulary::require_mask() const {
  return require(special_.mask, path_, "[MASK]");
}

void CodeVocabulary::check_fits(int64_t num_rows) const {
  if (size() <= num_rows) return;
  throw FileError(
      path_.empty() ? "vocabulary" : path_,
      str("the vocabulary has ids up to ", size() - 1, ", the model ", num_rows, " embedding rows"),
      "use the model's own vocabulary, or add rows with resize_vocabulary");
}

int32_t CodeVocabulary::add(std::string_view code) {
  if (const auto id = find_id(code)) return *id;
  insert(code, size());
  return size() - 1;
}

void CodeVocabulary::write_json(const std::string& path) const {
  std::string text = "{";
  for (int32_t id = 0; id < size(); ++id) {
    if (!has_code(id)) continue;
    if (text.size() > 1) text += ",";
    text += "\n " +
            nlohmann::json(code(id)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    text += ": " + std::to_string(id);
  }
  write_file(path, text + "\n}\n");
}

}  // namespace sequela
