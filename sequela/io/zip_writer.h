#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/io/file.h"

namespace sequela {

// Writes a zip archive of stored (not compressed) entries, in one pass; sizes are told beforehand.
// Uses zip64 fields only where a size, an offset or the number of entries needs them. Same content,
// same bytes. The file appears when finish() returns.
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& path) : file_(path) {}

  // Starts an entry of exactly `size` bytes whose data begins at a multiple of `alignment` in the
  // file.
  void begin_entry(std::string_view name, int64_t size, int64_t alignment = 1);
  void write(const void* data, size_t size);
  void finish();

 private:
  struct Entry {
    std::string name;
    int64_t size = 0;
    int64_t offset = 0;  // of its local header
    uint32_t crc = 0;
  };

  void end_entry();
  void write_directory_entry(const Entry& entry);

  AtomicFile file_;
  std::vector<Entry> entries_;
  int64_t left_ = 0;  // bytes still missing in the last entry
  bool is_open_ = false;
};

}  // namespace sequela
