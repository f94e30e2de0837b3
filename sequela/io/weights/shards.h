#pragma once

#include <string>
#include <vector>

#include "sequela/io/weights/weight_file.h"

namespace sequela {

// A model in shards: "<name>.index.json" beside them, {"metadata": {...}, "weight_map": {tensor:
// file}}. Each tensor comes from the file that the map names for it, what else the file holds is
// left out; files must lie in the index's folder. Throws FileError.
WeightFile open_shards(const std::string& index_path);
bool is_shard_index(const std::string& path);

// The files that an index names. Throws FileError.
std::vector<std::string> list_shards(const std::string& index_path);

}  // namespace sequela
