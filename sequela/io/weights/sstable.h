#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "sequela/io/weights/checksums.h"

namespace sequela {

// Calls `visit` with each key and value of a sorted string table (leveldb's, as TensorFlow writes
// it) whose bytes are in memory, in ascending order of keys. Blocks must not be compressed. Throws
// FileError; `path` names the file.
void read_sstable(
    std::span<const std::byte> bytes, const std::string& path, Checksums checksums,
    const std::function<void(const std::string& key, std::span<const std::byte> value)>& visit);

}  // namespace sequela
