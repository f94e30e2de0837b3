#pragma once

// Moves of tiles of 64 rows between strided matrices and the layouts that tile_gemm wants. Included
// by the files of one instruction set only (see simd.h). Column counts are multiples of 16.

#include "sequela/nn/kernels/simd.h"

namespace sequela {
namespace {

constexpr int64_t kTile = 64;

// cos and sin of one row's angles, [size / 2] each; no rotation if null. direction -1 turns back.
struct RowRotation {
  const float* cosines;
  const float* sines;
  float direction;
};

// Turns the pairs (x[0], x[1]), (x[2], x[3]), ... of columns [column, column + 16).
SEQUELA_INLINE Floats rotated(Floats x, const RowRotation& rotation, int64_t column) {
  if (rotation.cosines == nullptr) return x;
  static constexpr float kSigns[kLanes] = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
  const Floats sign = load(kSigns) * rotation.direction;
  return x * doubled(rotation.cosines + column / 2) +
         exchanged<1>(x) * (sign * doubled(rotation.sines + column / 2));
}

template <int step>
SEQUELA_INLINE void exchange_all(Words* rows) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    if ((i & step) == 0) exchange_blocks<step>(rows[i], rows[i + step]);
  }
}

// to[c][r] = from[r][c] for 16 x 16 values of 32 bits.
SEQUELA_INLINE void transpose_block(const uint32_t* from, int64_t from_stride, uint32_t* to,
                                    int64_t to_stride) {
  Words rows[kLanes];
  for (int i = 0; i < kLanes; ++i) rows[i] = load_lanes<Words>(from + i * from_stride);
  exchange_all<1>(rows);
  exchange_all<2>(rows);
  exchange_all<4>(rows);
  exchange_all<8>(rows);
  for (int i = 0; i < kLanes; ++i) store_lanes(to + i * to_stride, rows[i]);
}

// to[columns][64] = transpose of from[64][columns], 32-bit values.
void transpose_tile(const void* from, int64_t columns, void* to) {
  for (int64_t r = 0; r < kTile; r += kLanes) {
    for (int64_t c = 0; c < columns; c += kLanes) {
      transpose_block(static_cast<const uint32_t*>(from) + r * columns + c, columns,
                      static_cast<uint32_t*>(to) + c * kTile + r, kTile);
    }
  }
}

// The right operand (tile_gemm's B) that is the transpose of from[64][columns].
void pack_transposed(const float* from, int64_t columns, float* to) {
  transpose_tile(from, columns, to);
}
void pack_transposed(const BFloat16* from, int64_t columns, BFloat16* to) {
  transpose_tile(from, columns / 2, to);
}

// The right operand that is from[64][columns] itself.
void pack_rows(const float* from, int64_t columns, float* to) {
  std::memcpy(to, from, kTile * columns * sizeof(float));
}
void pack_rows(const BFloat16* from, int64_t columns, BFloat16* to) {
  for (int64_t r = 0; r < kTile; r += 2) {
    for (int64_t c = 0; c < columns; c += kLanes) {
      Halves first, second;
      std::memcpy(&first, from + r * columns + c, sizeof(first));
      std::memcpy(&second, from + (r + 1) * columns + c, sizeof(second));
      store_lanes(to + r * columns + 2 * c, widened(first) | (widened(second) << 16));
    }
  }
}

// The plain transpose to[columns][64] from a packed one (pack_transposed), as a left operand.
void unpack_transposed(const float* packed, int64_t columns, float* to) {
  std::memcpy(to, packed, kTile * columns * sizeof(float));
}
void unpack_transposed(const BFloat16* packed, int64_t columns, BFloat16* to) {
  for (int64_t c = 0; c < columns; c += 2) {
    for (int64_t r = 0; r < kTile; r += kLanes) {
      const Words pairs = load_lanes<Words>(packed + c * kTile + 2 * r);
      const Halves even = narrowed(pairs & 0xffff);
      const Halves odd = narrowed(pairs >> 16);
      std::memcpy(to + c * kTile + r, &even, sizeof(even));
      std::memcpy(to + (c + 1) * kTile + r, &odd, sizeof(odd));
    }
  }
}

}  // namespace
}  // namespace sequela
