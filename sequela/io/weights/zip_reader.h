#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// A file inside a zip; name and content lie in the zip's bytes.
struct ZipEntry {
  std::string_view name;
  std::span<const std::byte> bytes;  // as stored
  bool is_deflated = false;          // bytes are packed (RFC 1951)
  uint64_t size = 0;                 // unpacked, as the zip says
  uint32_t crc = 0;                  // crc32 of the content, as the zip says; not checked
};

enum class ZipContent { stored, stored_or_deflated };

// The entries of a zip (zip64 as well) whose bytes are in memory. None may be encrypted or packed
// in another way than `allowed`, and no name may occur twice. Throws FileError; `path` names the
// file.
std::vector<ZipEntry> read_zip(std::span<const std::byte> bytes, const std::string& path,
                               ZipContent allowed = ZipContent::stored);

}  // namespace sequela
