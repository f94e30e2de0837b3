#include "sequela/io/hub_cache.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/weight_file.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxRefBytes = 256;
constexpr size_t kCommitLength = 40;
constexpr const char* kVocabularies[] = {"tokenizer.json", "vocab.txt", "vocab.json",
                                         "dictionary.msgpack"};

bool is_name_letter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_' ||
         letter == '.';
}

bool is_name_part(const std::string& text) {
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(text, is_name_letter);
}

// Branches and tags may have slashes; none leads out of the folder of refs.
bool is_revision(const std::string& text) {
  return !text.empty() && text.front() != '/' && text.back() != '/' &&
         text.find("..") == std::string::npos && text.find("//") == std::string::npos &&
         std::ranges::all_of(text,
                             [](char letter) { return is_name_letter(letter) || letter == '/'; });
}

bool is_commit(const std::string& text) {
  return text.size() == kCommitLength && std::ranges::all_of(text, [](char letter) {
           return std::isxdigit(static_cast<unsigned char>(letter)) != 0;
         });
}

bool is_true(const char* value) {
  if (value == nullptr) return false;
  std::string text = value;
  for (char& letter : text) {
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return text == "1" || text == "ON" || text == "YES" || text == "TRUE";
}

// Of a branch or a tag, or the revision itself; empty if there is none.
std::string find_commit(const fs::path& model, const std::string& revision) {
  std::string commit;
  const fs::path ref = model / "refs" / revision;
  std::error_code ignored;
  if (fs::is_regular_file(ref, ignored)) {
    commit = read_file(ref.string(), kMaxRefBytes);
    while (!commit.empty() && std::isspace(static_cast<unsigned char>(commit.back())) != 0) {
      commit.pop_back();
    }
  }
  if (!is_commit(commit)) commit = revision;
  if (!is_commit(commit)) commit.clear();
  return commit;
}

// Whether a vocabulary is in the snapshot, or the cache knows that the hub has none.
bool is_vocabulary_settled(const fs::path& model, const std::string& commit) {
  const fs::path folder = model / "snapshots" / commit;
  const auto has = [](const fs::path& where) {
    return [where](const char* name) { return path_exists((where / name).string()); };
  };
  if (std::ranges::any_of(kVocabularies, has(folder))) return true;
  if (std::ranges::all_of(kVocabularies, has(model / ".no_exist" / commit))) return true;
  return std::ranges::any_of(fs::directory_iterator(folder), [](const auto& entry) {
    return entry.path().extension() == ".types";
  });
}

void find_snapshot(const std::string& cache, FoundModel* found) {
  std::string folder_name = "models--" + found->name->repository;
  folder_name.replace(folder_name.find('/'), 1, "--");
  const fs::path model = fs::path(cache) / folder_name;
  const std::string commit = find_commit(model, found->name->revision);
  found->wants_fetch = true;
  if (commit.empty()) return;
  const fs::path folder = model / "snapshots" / commit;
  if (!path_exists((folder / "config.json").string()) || !has_weights(folder.string())) return;
  found->folder = folder.string();
  found->commit = commit;
  found->wants_fetch = !is_vocabulary_settled(model, commit);
}

}  // namespace

std::string ModelName::text() const {
  return has_revision ? repository + "@" + revision : repository;
}

std::optional<ModelName> parse_model_name(const std::string& text) {
  ModelName name;
  const size_t at = text.find('@');
  name.repository = text.substr(0, at);
  if (at != std::string::npos) {
    name.revision = text.substr(at + 1);
    name.has_revision = true;
  }
  const size_t slash = name.repository.find('/');
  if (slash == std::string::npos || !is_name_part(name.repository.substr(0, slash)) ||
      !is_name_part(name.repository.substr(slash + 1)) || !is_revision(name.revision)) {
    return std::nullopt;
  }
  return name;
}

HubSettings read_hub_settings(const std::function<const char*(const char*)>& variable) {
  const auto get = [&](const char* name) {
    const char* value = variable(name);
    return fs::path(value == nullptr ? "" : value);
  };
  const fs::path home = get("HOME");
  const auto expanded = [&](const fs::path& path) {
    return path.string().starts_with("~/") ? home / path.string().substr(2) : path;
  };
  HubSettings settings;
  settings.is_offline =
      is_true(variable(get("HF_HUB_OFFLINE").empty() ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE"));
  fs::path cache = get("HF_HUB_CACHE");
  if (cache.empty()) cache = get("HUGGINGFACE_HUB_CACHE");
  if (cache.empty() && !get("HF_HOME").empty()) cache = get("HF_HOME") / "hub";
  if (cache.empty() && !get("XDG_CACHE_HOME").empty()) {
    cache = get("XDG_CACHE_HOME") / "huggingface" / "hub";
  }
  if (cache.empty()) cache = home / ".cache" / "huggingface" / "hub";
  settings.cache = expanded(cache).string();
  return settings;
}

std::string FoundModel::pinned_name(const std::string& text) const {
  return commit.empty() ? text : name->repository + "@" + commit;
}

std::string FoundModel::note() const {
  std::error_code ignored;
  if (!name || folder.empty() || !fs::is_directory(folder, ignored)) return "";
  if (!commit.empty()) return str(name->text(), ": commit ", commit, " in ", folder);
  const bool ignores_revision = name->has_revision && folder == name->repository;
  return str(name->text(), ": the folder of that name is taken",
             ignores_revision ? "; a folder has no revisions" : "");
}

FoundModel find_model(const std::string& text, const HubSettings& settings) {
  FoundModel found;
  found.name = parse_model_name(text);
  if (path_exists(text) || !found.name) {
    found.folder = text;
    return found;
  }
  if (path_exists(found.name->repository)) {
    found.folder = found.name->repository;
    return found;
  }
  find_snapshot(settings.cache, &found);
  if (settings.is_offline) found.wants_fetch = false;
  if (found.folder.empty() && settings.is_offline) {
    throw FileError(text,
                    str("there is no such folder, and the cache ", settings.cache,
                        " has no such model with its weights; HF_HUB_OFFLINE forbids to fetch it"),
                    "check the name, or fetch it once without HF_HUB_OFFLINE");
  }
  return found;
}

}  // namespace sequela
