#include "sequela/pipeline/manifest.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/sha256.h"
#include "sequela/io/file.h"

namespace fs = std::filesystem;

namespace sequela {

namespace {

std::string path_of(const std::string& folder) {
  return folder + "/manifest.json";
}

Json read_artifacts(const std::string& folder) {
  const std::string path = path_of(folder);
  if (!fs::exists(path)) return Json::object();
  try {
    const Json json = parse_json(read_file(path), path);
    const auto found = json.find("artifacts");
    if (found != json.end() && found->is_object()) return *found;
    log_warning(path + ": not a manifest; everything is made anew");
  } catch (const FileError& error) {
    log_warning(str(error.what(), " Everything is made anew."));
  }
  return Json::object();
}

std::string shown(const std::string& text) {
  return text.size() <= 40 ? text : text.substr(0, 12) + "...";
}

// The first difference of recorded values from wanted ones, in words; empty if there is none.
std::string difference(const Json& recorded, const std::map<std::string, std::string>& wanted,
                       bool with_values) {
  for (const auto& [name, value] : wanted) {
    const auto found = recorded.find(name);
    if (found == recorded.end()) return name + " is new";
    if (*found == value) continue;
    if (!with_values || !found->is_string()) return name + " changed";
    return str(name, " changed from ", shown(found->get<std::string>()), " to ", shown(value));
  }
  for (const auto& [name, value] : recorded.items()) {
    if (!wanted.contains(name)) return name + " is gone";
  }
  return "";
}

Json field(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() ? Json::object() : *found;
}

Json entry_of(const StageRecipe& recipe) {
  return {
      {"version", SEQUELA_VERSION}, {"parameters", recipe.parameters}, {"inputs", recipe.inputs}};
}

}  // namespace

struct Manifest::State {
  std::string folder;
  Json artifacts;

  std::string path_of_artifact(const std::string& name) const { return folder + "/" + name; }

  // In the order of names, so that the bytes do not tell in which order artifacts were made.
  void write() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : artifacts.items()) names.push_back(name);
    std::ranges::sort(names);
    Json sorted = Json::object();
    for (const std::string& name : names) sorted[name] = artifacts[name];
    write_file(path_of(folder), json_text({{"artifacts", sorted}}) + "\n");
  }
};

Manifest::Manifest(const std::string& folder) : state_(new State{folder, read_artifacts(folder)}) {}

Manifest::~Manifest() = default;

std::string Manifest::why_stale(const StageRecipe& recipe) const {
  const auto found = state_->artifacts.find(recipe.name);
  if (found == state_->artifacts.end() || !found->is_object()) return "it is not there";
  if (field(*found, "version") != SEQUELA_VERSION) return "it is of another version of Sequela";
  const std::string parameter = difference(field(*found, "parameters"), recipe.parameters, true);
  if (!parameter.empty()) return parameter;
  const std::string input = difference(field(*found, "inputs"), recipe.inputs, false);
  if (!input.empty()) return input;
  const std::string content = content_checksum(state_->path_of_artifact(recipe.name));
  if (content.empty()) return "it is not there";
  if (field(*found, "checksum") != content) return "it was changed or damaged since it was made";
  return "";
}

void Manifest::record(const StageRecipe& recipe, const Json& report) {
  Json entry = entry_of(recipe);
  entry["checksum"] = content_checksum(state_->path_of_artifact(recipe.name));
  entry["report"] = report;
  state_->artifacts[recipe.name] = std::move(entry);
  state_->write();
}

void Manifest::record_report(const StageRecipe& recipe, const Json& report) {
  Json entry = entry_of(recipe);
  entry["report"] = report;
  state_->artifacts[recipe.name] = std::move(entry);
  state_->write();
}

std::string Manifest::checksum(const std::string& name) const {
  const Json value = field(field(state_->artifacts, name.c_str()), "checksum");
  return value.is_string() ? value.get<std::string>() : "";
}

Json Manifest::report(const std::string& name) const {
  return field(field(state_->artifacts, name.c_str()), "report");
}

std::string content_checksum(const std::string& path) {
  if (!fs::exists(path)) return "";
  if (!fs::is_directory(path)) return file_digest(path);
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::string listing;
  for (const fs::path& file : files) {
    listing += str(fs::relative(file, path).string(), " ", file_digest(file.string()), "\n");
  }
  return to_hex(sha256(listing.data(), listing.size()));
}

}  // namespace sequela
