#pragma once

// Packed files as other programs leave them.

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <utility>
#include <vector>

#include "sequela/io/file.h"

namespace sequela {

// zlib's deflate; window_bits 31 = a gzip member, -15 = a bare stream as in a zip.
inline std::string deflated(const std::string& content, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string gzipped(const std::string& content) {
  return deflated(content, 31);
}

template <class T>
void append_number(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// The bytes of a zip whose members are deflated.
inline std::string zipped(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string bytes, directory;
  for (const auto& [name, content] : members) {
    const std::string packed = deflated(content, -15);
    const auto offset = static_cast<uint32_t>(bytes.size());
    const auto crc = static_cast<uint32_t>(::crc32(
        0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
    std::string fields;  // of both headers
    for (const uint16_t field : {20, 0, 8, 0, 0}) append_number(&fields, field);
    append_number(&fields, crc);
    append_number(&fields, static_cast<uint32_t>(packed.size()));
    append_number(&fields, static_cast<uint32_t>(content.size()));
    append_number(&fields, static_cast<uint16_t>(name.size()));
    append_number(&fields, uint16_t{0});
    bytes += std::string("PK\3\4") + fields + name + packed;
    directory += std::string("PK\1\2");
    append_number(&directory, uint16_t{20});
    directory += fields;
    directory += std::string(10, '\0');
    append_number(&directory, offset);
    directory += name;
  }
  std::string end = "PK\5\6" + std::string(4, '\0');
  append_number(&end, static_cast<uint16_t>(members.size()));
  append_number(&end, static_cast<uint16_t>(members.size()));
  append_number(&end, static_cast<uint32_t>(directory.size()));
  append_number(&end, static_cast<uint32_t>(bytes.size()));
  append_number(&end, uint16_t{0});
  return bytes + directory + end;
}

}  // namespace sequela
