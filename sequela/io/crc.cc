#include "sequela/io/crc.h"

#include <array>
#include <bit>
#include <cstring>

namespace sequela {
namespace {

static_assert(std::endian::native == std::endian::little);

// tables[k][b]: the effect of byte b that is followed by k zero bytes, so that eight bytes are
// taken at a time ("slicing by 8"; Kounavis and Berry, 2005). The polynomial's bits are reversed.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables(uint32_t polynomial) {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ polynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kZipTables = make_tables(0xEDB88320);
constexpr Tables kCastagnoliTables = make_tables(0x82F63B78);

uint32_t update(const Tables& tables, uint32_t crc, const void* data, size_t size) {
  const auto* next = static_cast<const uint8_t*>(data);
  crc = ~crc;
  for (; size >= 8; size -= 8, next += 8) {
    uint64_t word;
    std::memcpy(&word, next, sizeof(word));
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; size > 0; --size, ++next) crc = (crc >> 8) ^ tables[0][(crc ^ *next) & 0xff];
  return ~crc;
}

}  // namespace

uint32_t crc32(uint32_t crc, const void* data, size_t size) {
  return update(kZipTables, crc, data, size);
}

uint32_t crc32c(uint32_t crc, const void* data, size_t size) {
  return update(kCastagnoliTables, crc, data, size);
}

}  // namespace sequela
