#include "sequela/train/checkpoint_shards.h"

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/io/safetensors.h"
#include "sequela/io/weights/shards.h"

namespace sequela {
namespace {

std::string shard_name(const char* what, int rank, int num_ranks) {
  if (num_ranks == 1) return str(what, ".safetensors");
  char numbers[32];
  std::snprintf(numbers, sizeof(numbers), "-%05d-of-%05d", rank + 1, num_ranks);
  return str(what, numbers, ".safetensors");
}

std::string index_name(const char* what) {
  return str(what, ".safetensors.index.json");
}

}  // namespace

std::vector<std::string> shard_paths(const std::string& checkpoint, const char* what) {
  const std::string index = checkpoint + "/" + index_name(what);
  if (!std::filesystem::exists(index)) return {checkpoint + "/" + shard_name(what, 0, 1)};
  std::vector<std::string> paths;
  for (const std::string& name : list_shards(index)) paths.push_back(checkpoint + "/" + name);
  return paths;
}

void write_shard(const Parameters& own, const std::string& folder, const char* what,
                 const World& world) {
  own.write(folder + "/" + shard_name(what, world.rank(), world.size()));
}

void write_index(const std::string& folder, const char* what, int num_ranks) {
  if (num_ranks == 1) return;
  Json map = Json::object();
  int64_t total = 0;
  for (int rank = 0; rank < num_ranks; ++rank) {
    const std::string name = shard_name(what, rank, num_ranks);
    const SafetensorsFile file(folder + "/" + name);
    for (const TensorView& tensor : file.tensors()) {
      map[tensor.name] = name;
      total += static_cast<int64_t>(tensor.bytes.size());
    }
  }
  const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
  write_file(folder + "/" + index_name(what), json_text(index) + "\n");
}

}  // namespace sequela
