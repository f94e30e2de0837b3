#include "sequela/io/weights/shards.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/io/weights/byte_reader.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxIndexBytes = size_t{64} << 20;

// A file's name as the map gives it: it must stay in the folder.
void check_file_name(const std::string& name, const std::string& path) {
  const bool is_plain = !name.empty() && name != "." && name != ".." &&
                        name.find_first_of(std::string("/\\\0", 3)) == std::string::npos &&
                        !is_shard_index(name);
  if (!is_plain) {
    throw FileError(path, "names a file that is not in its folder: '" + printable(name) + "'",
                    "name the files of the shards alone");
  }
}

// File to the tensors that it should hold.
std::map<std::string, std::vector<std::string>> read_weight_map(const std::string& path) {
  const auto index = nlohmann::json::parse(read_file(path, kMaxIndexBytes), nullptr, false);
  if (index.is_discarded()) fail_weights(path, "is not valid JSON");
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object() || map->empty()) {
    fail_weights(path, "has no weight_map");
  }
  std::map<std::string, std::vector<std::string>> files;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string()) fail_weights(path, "maps a tensor to something that is no file name");
    files[file.get<std::string>()].push_back(tensor);
  }
  for (const auto& entry : files) check_file_name(entry.first, path);
  return files;
}

}  // namespace

bool is_shard_index(const std::string& path) {
  return path.ends_with(".index.json");
}

std::vector<std::string> list_shards(const std::string& index_path) {
  std::vector<std::string> names;
  for (const auto& entry : read_weight_map(index_path)) names.push_back(entry.first);
  return names;
}

WeightFile open_shards(const std::string& index_path) {
  std::vector<TensorView> tensors;
  std::vector<std::shared_ptr<const void>> owners;
  WeightFormat format = WeightFormat::safetensors;
  for (const auto& [file, names] : read_weight_map(index_path)) {
    const std::string path = (fs::path(index_path).parent_path() / file).string();
    if (!path_exists(path)) {
      throw FileError(index_path, "names the file '" + printable(file) + "', which is missing",
                      "copy all shards");
    }
    auto shard = std::make_shared<const WeightFile>(open_weights(path));
    for (const std::string& name : names) tensors.push_back(shard->get(name));
    format = shard->format();
    owners.push_back(shard);
  }
  return {index_path, format, std::move(tensors), std::move(owners)};
}

}  // namespace sequela
