#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sequela/io/safetensors.h"
#include "sequela/io/weights/checksums.h"

namespace sequela {

// A TensorFlow checkpoint, "tensor bundle": "<prefix>.index" with the names, and
// "<prefix>.data-0000k-of-0000n" with the bytes.
struct TfBundle {
  std::vector<TensorView> tensors;  // by name; names as in TensorFlow
  std::vector<std::shared_ptr<const void>> owners;
};

// Memory-maps a bundle. The index's checksums are checked, those of the tensors (they would have to
// be read) are not. Tensors of text are left out. Throws FileError: missing or broken files, a
// compressed index, partitioned variables.
TfBundle open_tf_bundle(const std::string& prefix);

// The bundle's prefix if `path` is one, or its .index or a .data file; empty if it is none.
std::optional<std::string> find_tf_bundle(const std::string& path);

// Reads the index from memory; `shard` gives the bytes of data file k of n, which must live on.
std::vector<TensorView> read_tf_bundle(
    std::span<const std::byte> index, const std::string& path, Checksums checksums,
    const std::function<std::span<const std::byte>(int64_t shard, int64_t num_shards)>& shard);

}  // namespace sequela
