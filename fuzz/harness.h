#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

#include "sequela/core/error.h"
#include "sequela/io/safetensors.h"

namespace sequela {

// Reads the ends of every tensor, so that the address sanitizer sees whether they lie in memory.
inline void touch(const std::vector<TensorView>& tensors) {
  static volatile unsigned sink = 0;
  for (const TensorView& tensor : tensors) {
    if (tensor.bytes.empty()) continue;
    sink = sink + static_cast<unsigned>(tensor.bytes.front()) +
           static_cast<unsigned>(tensor.bytes.back());
  }
}

// What a reader may do with bad input is to throw an Error; anything else is a finding.
template <class Read>
int fuzz_bytes(const uint8_t* data, size_t size, const Read& read) {
  try {
    read(std::as_bytes(std::span(data, size)));
  } catch (const Error&) {
  }
  return 0;
}

// The same for a reader of a file, which is told by its name.
template <class Read>
int fuzz_file(const std::string& name, const uint8_t* data, size_t size, const Read& read) {
  static const auto folder =
      std::filesystem::temp_directory_path() / ("sequela-fuzz-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = folder / name;
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    read(path);
  } catch (const Error&) {
  }
  return 0;
}

}  // namespace sequela
