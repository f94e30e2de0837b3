#include "sequela/run/manifest.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int kSchema = 1;

struct Artifact {
  RunRecipe recipe;
  std::string version;
  InputFingerprints files;
  Json report;
};

std::string path_of(const std::string& folder) {
  return folder + "/manifest.json";
}

Artifact to_artifact(const std::string& name, const Json& json) {
  Artifact artifact;
  artifact.recipe = to_run_recipe(json.at("recipe"));
  artifact.recipe.artifact = name;
  json.at("recipe").at("version").get_to(artifact.version);
  json.at("files").get_to(artifact.files);
  artifact.report = json.at("report");
  return artifact;
}

Json to_json(const Artifact& artifact) {
  return {{"recipe", to_json(artifact.recipe, artifact.version)},
          {"files", artifact.files},
          {"report", artifact.report}};
}

bool is_inside(const std::string& name) {
  return !name.starts_with('/') && name.find("..") == std::string::npos;
}

// The files of outputs, by name below the folder.
std::vector<InputFile> output_files(const std::string& folder,
                                    const std::vector<std::string>& outputs) {
  std::vector<InputFile> all;
  for (const std::string& output : outputs) {
    for (InputFile& file : list_input_files(folder + "/" + output)) {
      all.push_back({file.name.empty() ? output : output + "/" + file.name, std::move(file.path)});
    }
  }
  return all;
}

// "it" is the artifact, if it is that one file or folder.
std::string subject_of(const RunRecipe& recipe, const std::string& file) {
  const std::string& own = recipe.artifact;
  return file == own || file.starts_with(own + "/") ? "it" : file;
}

}  // namespace

struct Manifest::State {
  State(std::string where, Fingerprints& prints) : folder(std::move(where)), fingerprints(prints) {}

  void read();
  void read_json(const Json& json);
  void write() const;
  std::string why_changed(const RunRecipe& recipe, const InputFingerprints& recorded) const;

  const std::string folder;
  Fingerprints& fingerprints;
  bool is_there = false;
  bool is_older = false;                 // what lay there was of another form
  std::vector<std::string> older_files;  // that it names
  std::map<std::string, Artifact> artifacts;
};

void Manifest::State::read() {
  const std::string path = path_of(folder);
  is_there = fs::exists(path);
  if (!is_there) return;
  try {
    return read_json(parse_json(read_file(path), path));
  } catch (const nlohmann::json::exception&) {
  } catch (const FileError&) {
  }
  artifacts.clear();
  is_there = false;
  log_warning(path + ": damaged; everything is made anew");
}

void Manifest::State::read_json(const Json& json) {
  if (!json.is_object()) throw FileError(path_of(folder), "not an object");
  is_older = !json.contains("schema") || json.at("schema") != kSchema;
  if (!is_older) {
    for (const auto& [name, artifact] : json.at("artifacts").items())
      artifacts[name] = to_artifact(name, artifact);
    return;
  }
  const auto files = json.find("files");  // version 0.1, but for prepare
  if (files == json.end()) return;
  for (const auto& [name, digest] : files->items()) older_files.push_back(name);
}

void Manifest::State::write() const {
  Json entries = Json::object();
  for (const auto& [name, artifact] : artifacts) entries[name] = to_json(artifact);
  write_file(path_of(folder), json_text({{"schema", kSchema}, {"artifacts", entries}}) + "\n");
}

std::string Manifest::State::why_changed(const RunRecipe& recipe,
                                         const InputFingerprints& recorded) const {
  const InputFingerprints now = fingerprints.of_files(output_files(folder, recipe.outputs));
  for (const auto& [name, digest] : recorded) {
    const auto found = now.find(name);
    if (found == now.end()) return subject_of(recipe, name) + " is not there";
    if (found->second != digest)
      return subject_of(recipe, name) + " was changed or damaged since it was made";
  }
  for (const auto& [name, digest] : now) {
    if (!recorded.contains(name)) return str("there is a new file ", name);
  }
  return "";
}

Manifest::Manifest(const std::string& folder, Fingerprints& fingerprints)
    : state_(std::make_unique<State>(folder, fingerprints)) {
  state_->read();
}

Manifest::~Manifest() = default;

void Manifest::reload() {
  state_->artifacts.clear();
  state_->older_files.clear();
  state_->is_older = false;
  state_->read();
}

std::string Manifest::why_stale(const RunRecipe& recipe) const {
  const auto found = state_->artifacts.find(recipe.artifact);
  if (found == state_->artifacts.end())
    return state_->is_older ? "an older version of Sequela made it" : "it is not there";
  const Artifact& artifact = found->second;
  if (recipe.depends_on_version && artifact.version != SEQUELA_VERSION)
    return str("version ", artifact.version, " of Sequela made it");
  std::string changed = difference(artifact.recipe, recipe);
  if (!changed.empty()) return changed;
  if (artifact.files.empty()) return "it is not there";
  return state_->why_changed(artifact.recipe, artifact.files);
}

bool Manifest::is_up_to_date(const RunRecipe& recipe) const {
  const std::string reason = why_stale(recipe);
  if (reason.empty()) {
    log_info(state_->folder + " is up to date");
  } else if (state_->is_there) {
    log_info(str(state_->folder, ": made anew, since ", reason));
  }
  return reason.empty();
}

void Manifest::remove() {
  fs::remove(path_of(state_->folder));
  state_->artifacts.clear();
  state_->older_files.clear();
  state_->is_there = state_->is_older = false;
}

void Manifest::remove_with_files() {
  std::vector<std::string> names = state_->older_files;
  for (const auto& [artifact, entry] : state_->artifacts) {
    for (const auto& [name, digest] : entry.files) names.push_back(name);
  }
  for (const std::string& name : names) {
    if (is_inside(name)) fs::remove(state_->folder + "/" + name);
  }
  remove();
}

void Manifest::record(const RunRecipe& recipe, const Json& report) {
  Artifact& artifact = state_->artifacts[recipe.artifact];
  artifact.recipe = recipe;
  artifact.version = SEQUELA_VERSION;
  artifact.files = state_->fingerprints.of_files(output_files(state_->folder, recipe.outputs));
  artifact.report = report;
  state_->is_there = true;
  state_->write();
}

std::string Manifest::parameter(const std::string& artifact, const std::string& option) const {
  const auto found = state_->artifacts.find(artifact);
  if (found == state_->artifacts.end()) return "";
  const auto value = found->second.recipe.parameters.find(option);
  return value == found->second.recipe.parameters.end() ? "" : value->second;
}

std::string Manifest::fingerprint(const std::string& artifact) const {
  const auto found = state_->artifacts.find(artifact);
  if (found == state_->artifacts.end()) return "";
  const auto file = found->second.files.find(artifact);
  return file == found->second.files.end() ? "" : file->second;
}

Json Manifest::report(const std::string& artifact) const {
  const auto found = state_->artifacts.find(artifact);
  return found == state_->artifacts.end() ? Json::object() : found->second.report;
}

}  // namespace sequela
