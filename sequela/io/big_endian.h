#pragma once

namespace sequela {

// An unsigned integer with its bytes in big-endian order, from or to this machine's order.
template <class T>
T swap_big_endian(T value) {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  return value;
}

}  // namespace sequela
