#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace sequela {

// A path in the folder for temporary files.
inline std::string temporary_path(const std::string& name) {
  return (std::filesystem::path(testing::TempDir()) / name).string();
}

// Changes one byte of a file in place.
inline void set_byte(const std::string& path, size_t offset, char value) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(value);
}

}  // namespace sequela
