#include "sequela/pipeline/run_manifest.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/sha256.h"
#include "sequela/io/file.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/labels.h"

namespace sequela {
namespace {

std::string manifest_path(const std::string& folder) {
  return folder + "/manifest.json";
}

bool has_files(const std::string& folder, const Json& files) {
  for (const auto& [name, digest] : files.items()) {
    const std::string path = folder + "/" + name;
    if (!std::filesystem::is_regular_file(path)) return false;
    if (file_digest(path) != digest.get<std::string>()) return false;
  }
  return !files.empty();
}

}  // namespace

std::string run_key_of(const Json& parts) {
  const std::string text = json_text(parts);
  return to_hex(sha256(text.data(), text.size()));
}

Json dataset_key(const std::string& meds) {
  Json key;
  for (const auto& file : fingerprint_dataset(find_dataset(meds)))
    key[file.name] = file.fingerprint;
  return key;
}

Json bundle_key(const std::string& folder) {
  Json key;
  for (const char* name :
       {"config.json", "model.safetensors", "dictionary.msgpack", "ontology.parquet"}) {
    const std::string file = folder + "/" + name;
    key[name] = std::filesystem::exists(file) ? file_fingerprint(file) : "none";
  }
  return key;
}

Json label_key(const std::string& labels) {
  Json key = Json::array();
  for (const std::string& file : list_label_files(labels)) key.push_back(shard_fingerprint(file));
  return key;
}

bool is_made_by_run(const std::string& folder, const std::string& run_key) {
  const std::string path = manifest_path(folder);
  if (!std::filesystem::exists(path)) return false;
  try {
    const Json manifest = parse_json(read_file(path), path);
    const bool is_made = manifest.at("run_key").get<std::string>() == run_key &&
                         has_files(folder, manifest.at("files"));
    if (is_made) log_info(folder + " is up to date");
    return is_made;
  } catch (const nlohmann::json::exception&) {
  } catch (const FileError&) {
  }
  log_warning(path + ": damaged; everything is made anew");
  return false;
}

void remove_files_of_run(const std::string& folder) {
  const std::string path = manifest_path(folder);
  if (!std::filesystem::exists(path)) return;
  try {
    const Json manifest = parse_json(read_file(path), path);
    for (const auto& [name, digest] : manifest.at("files").items()) {
      const bool is_inside = !name.starts_with('/') && name.find("..") == std::string::npos;
      if (is_inside) std::filesystem::remove(folder + "/" + name);
    }
  } catch (const nlohmann::json::exception&) {
  } catch (const FileError&) {
  }
  std::filesystem::remove(path);
}

void write_run_manifest(const std::string& folder, const std::string& run_key,
                        const std::vector<std::string>& files, const Json& report) {
  Json manifest = {{"version", SEQUELA_VERSION}, {"run_key", run_key}};
  manifest.update(report);
  for (const std::string& name : files) manifest["files"][name] = file_digest(folder + "/" + name);
  write_file(manifest_path(folder), json_text(manifest) + "\n");
}

}  // namespace sequela
