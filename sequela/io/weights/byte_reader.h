#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "sequela/core/error.h"

namespace sequela {

[[noreturn]] inline void fail_weights(const std::string& path, const std::string& cause) {
  throw FileError(path, cause, "copy, download or save the file again");
}

// A name from a file, fit for a message: printable ASCII, at most 80 bytes.
inline std::string printable(std::string_view name) {
  std::string text(name.substr(0, 80));
  for (char& letter : text) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return text;
}

// Whether there is such a file or folder; one that cannot be looked at (or named) is not.
inline bool path_exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// Reads little-endian values from bytes in memory, and throws FileError("ends too early") rather
// than pass their end.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, const std::string& path)
      : bytes_(bytes), path_(path) {}

  size_t position() const { return position_; }
  size_t left() const { return bytes_.size() - position_; }
  const std::string& path() const { return path_; }

  std::span<const std::byte> take(uint64_t count) {
    if (count > left()) fail("ends too early");
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  std::string_view text(uint64_t count) {
    const auto taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  template <class T>
  T value() {
    T result;
    std::memcpy(&result, take(sizeof(T)).data(), sizeof(T));
    return result;
  }

  // Up to, and without, the next line feed, which is passed.
  std::string_view line() {
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + position_, left());
    const size_t length = rest.find('\n');
    if (length == std::string_view::npos) fail("ends too early");
    position_ += length + 1;
    return rest.substr(0, length);
  }

  // Seven bits a byte, the lowest first; the high bit says that another byte follows.
  uint64_t varint() {
    uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = value<uint8_t>();
      result |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return result;
    }
    fail("holds a number of more than ten bytes");
  }

  [[noreturn]] void fail(const std::string& cause) const { fail_weights(path_, cause); }

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
  size_t position_ = 0;
};

}  // namespace sequela
