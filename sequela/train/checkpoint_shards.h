#pragma once

#include <string>
#include <vector>

#include "sequela/distributed/world.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// A checkpoint's tensors: in one file, "model.safetensors", or of several ranks in a shard of each,
// "model-00002-of-00004.safetensors", with "model.safetensors.index.json" (io/weights/shards.h).
// `what` is "model" or "optimizer".

// The files in a checkpoint. FileError if its index is damaged.
std::vector<std::string> shard_paths(const std::string& checkpoint, const char* what);

// This rank's file.
void write_shard(const Parameters& own, const std::string& folder, const char* what,
                 const World& world);
// The index of the shards that lie there; none of a single file.
void write_index(const std::string& folder, const char* what, int num_ranks);

}  // namespace sequela
