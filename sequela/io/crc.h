#pragma once

#include <cstddef>
#include <cstdint>

namespace sequela {

// Checksums over data that comes in pieces: start with 0, pass the last result on.
uint32_t crc32(uint32_t crc, const void* data, size_t size);   // zip (polynomial 0x04C11DB7)
uint32_t crc32c(uint32_t crc, const void* data, size_t size);  // TFRecord (Castagnoli, 0x1EDC6F41)

}  // namespace sequela
