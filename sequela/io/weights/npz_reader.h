#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sequela/io/safetensors.h"

namespace sequela {

// The arrays of NumPy's .npz (stored, not compressed) or of one .npy, named as in the archive
// ("array" for a .npy). Views on the memory-mapped file, which `owner` keeps alive.
struct NpzArrays {
  std::vector<TensorView> arrays;
  std::shared_ptr<const void> owner;
};

// Untrusted. Row-major arrays of little-endian numbers are read; arrays of other types (text,
// objects) are left out, nothing is executed. FileError: missing, truncated, inconsistent,
// compressed, column-major.
NpzArrays read_npz(const std::string& path);

// The same of a file whose bytes are in memory; the arrays lie in them. `path` names it in errors.
std::vector<TensorView> parse_npz(std::span<const std::byte> bytes, const std::string& path);

}  // namespace sequela
