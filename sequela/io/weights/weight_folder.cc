#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/shards.h"
#include "sequela/io/weights/weight_file.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames[] = {"model.safetensors", "model.safetensors.index.json",
                                  "pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt"};
constexpr size_t kMaxCheckpointBytes = size_t{1} << 20;
constexpr std::string_view kCheckpointKey = "model_checkpoint_path:";

// The name in TensorFlow's "checkpoint" file: model_checkpoint_path: "model.ckpt-100". A path that
// was right where it was written is taken by its last part.
std::optional<std::string> read_checkpoint_name(const std::string& path) {
  const std::string text = read_file(path, kMaxCheckpointBytes);
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    if (!line.starts_with(kCheckpointKey)) continue;
    const size_t open = line.find('"');
    const size_t close = line.rfind('"');
    if (open == close) continue;
    return fs::path(line.substr(open + 1, close - open - 1)).filename().string();
  }
  return std::nullopt;
}

std::vector<std::string> find_bundles(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".index") names.push_back(entry.path().string());
  }
  if (error) throw FileError(folder, "cannot be listed: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string> find_bundle(const std::string& folder) {
  const fs::path checkpoint = fs::path(folder) / "checkpoint";
  std::error_code ignored;
  if (fs::is_regular_file(checkpoint, ignored)) {
    const std::optional<std::string> name = read_checkpoint_name(checkpoint.string());
    const std::string path = (fs::path(folder) / (name.value_or("") + ".index")).string();
    if (name && path_exists(path)) return path;
  }
  const std::vector<std::string> bundles = find_bundles(folder);
  if (bundles.size() > 1) {
    throw FileError(folder, str("holds ", bundles.size(), " TensorFlow checkpoints"),
                    "give the path of one of them, or keep TensorFlow's 'checkpoint' file");
  }
  return bundles.empty() ? std::nullopt : std::optional(bundles.front());
}

// X.data-00000-of-0000N, N of them, beside X.index.
bool has_all_data(const std::string& index_path) {
  const std::string stem = fs::path(index_path).stem().string() + ".data-";
  size_t num_files = 0, num_wanted = 1;
  for (const auto& entry : fs::directory_iterator(fs::path(index_path).parent_path())) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(stem) || !path_exists(entry.path().string())) continue;
    ++num_files;
    const size_t of = name.rfind("-of-");
    if (of != std::string::npos) num_wanted = std::strtoul(name.c_str() + of + 4, nullptr, 10);
  }
  return num_files >= num_wanted;
}

}  // namespace

bool has_weights(const std::string& folder) {
  for (const char* name : kNames) {
    const std::string path = (fs::path(folder) / name).string();
    if (!path_exists(path)) continue;
    if (!is_shard_index(path)) return true;
    return std::ranges::all_of(list_shards(path), [&](const std::string& shard) {
      return path_exists((fs::path(folder) / shard).string());
    });
  }
  const std::optional<std::string> bundle = find_bundle(folder);
  return bundle && has_all_data(*bundle);
}

WeightFile open_weight_folder(const std::string& folder) {
  std::error_code ignored;
  if (!path_exists(folder)) throw FileError(folder, "there is no such folder");
  if (!fs::is_directory(folder, ignored)) return open_weights(folder);
  std::string looked_for;
  for (const char* name : kNames) {
    const std::string path = (fs::path(folder) / name).string();
    if (path_exists(path)) return open_weights(path);
    looked_for += std::string(name) + ", ";
  }
  const std::optional<std::string> bundle = find_bundle(folder);
  if (bundle) return open_weights(*bundle);
  throw FileError(folder,
                  "holds no weights; looked for " + looked_for +
                      "a TensorFlow checkpoint (*.index with *.data-*)",
                  "give the folder of a trained model");
}

}  // namespace sequela
