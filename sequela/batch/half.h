#pragma once

#include <bit>
#include <cstdint>

namespace sequela {

// Bits of the float16 nearest to a double, ties to even. Rounds once (by way of float32 it would be
// twice), as NumPy does. Too large becomes infinity; NaN stays NaN.
inline uint16_t to_half(double value) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 48) & 0x8000);
  const int exponent = static_cast<int>((bits >> 52) & 0x7FF) - 1023;
  const uint64_t fraction = bits & 0xF'FFFF'FFFF'FFFFull;
  if (exponent == 1024) return sign | (fraction == 0 ? 0x7C00 : 0x7E00);
  if (exponent > 15) return sign | 0x7C00;
  if (exponent < -25) return sign;

  // Drop all but 10 bits of the fraction; below 2^-14 the number is subnormal and keeps fewer.
  const uint64_t significand = fraction | (uint64_t{1} << 52);
  const int dropped = exponent < -14 ? 42 + (-14 - exponent) : 42;
  uint64_t kept = significand >> dropped;
  const uint64_t rest = significand & ((uint64_t{1} << dropped) - 1);
  const uint64_t tie = uint64_t{1} << (dropped - 1);
  if (rest > tie || (rest == tie && (kept & 1) != 0)) ++kept;
  // The hidden bit of a normal number adds one to the exponent field; so does a carry.
  const uint64_t field = exponent < -14 ? 0 : static_cast<uint64_t>(exponent + 14) << 10;
  return static_cast<uint16_t>(sign | (field + kept));
}

// The value of float16 bits, exact.
inline float from_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1F;
  const uint32_t fraction = half & 0x3FF;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t field = exponent == 31 ? 0xFF : exponent + 112;
  return std::bit_cast<float>(sign | (field << 23) | (fraction << 13));
}

}  // namespace sequela
