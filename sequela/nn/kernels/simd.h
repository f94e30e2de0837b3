#pragma once

// Sixteen values of 32 bits at a time, Floats, Ints and Words, with the operators of GCC's vector
// extensions: one register of AVX-512 (simd_avx512.h) or two of AVX2 (simd_avx2.h), as the file's
// flags say. Included only by the files x_<isa>.cc, which are compiled with those flags; everything
// has internal linkage, so that no code for one instruction set is ever merged into another's.
//
// Both headers give, besides the operators:
//   as_floats, as_ints, as_words     the same bits
//   to_ints, to_floats               the same numbers, cut to whole ones
//   load_lanes, store_lanes          of memory as it is
//   widened, narrowed                16 to 32 bits and back, the low ones
//   select(mask, a, b), max, min, sqrt
//   exchanged<step>                  lane i gets lane i ^ step
//   exchange_blocks<step>            two rows exchange their off-diagonal blocks of step x step
//   doubled                          eight floats, each twice: a, a, b, b, ...
//   sum, largest                     of all lanes

#include <cstdint>
#include <cstring>

namespace sequela {
namespace {

#define SEQUELA_INLINE inline __attribute__((always_inline))

constexpr int kLanes = 16;

using BFloat16 = uint16_t;  // its bits; here so that no header with code is needed
using Halves = uint16_t __attribute__((vector_size(32)));

}  // namespace
}  // namespace sequela

#if defined(__AVX512F__)
#include "sequela/nn/kernels/simd_avx512.h"
#else
#include "sequela/nn/kernels/simd_avx2.h"
#endif

namespace sequela {
namespace {

SEQUELA_INLINE Floats splat(float value) {
  return Floats{} + value;
}

SEQUELA_INLINE Ints lane_ids() {
  alignas(64) static constexpr int32_t kIds[kLanes] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                       8, 9, 10, 11, 12, 13, 14, 15};
  return load_lanes<Ints>(kIds);
}

SEQUELA_INLINE Floats load(const float* from) {
  return load_lanes<Floats>(from);
}

SEQUELA_INLINE Floats load(const BFloat16* from) {
  Halves bits;
  std::memcpy(&bits, from, sizeof(bits));
  return as_floats(widened(bits) << 16);
}

SEQUELA_INLINE void store(float* to, Floats x) {
  store_lanes(to, x);
}

// To the nearest bfloat16, ties to even. Infinities stay; the processor's own NaN stays NaN.
SEQUELA_INLINE Halves to_bf16(Floats x) {
#if defined(__AVX512BF16__)
  const __m256bh rounded = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(x));
  Halves bits;
  std::memcpy(&bits, &rounded, sizeof(bits));
  return bits;
#else
  const Words bits = as_words(x);
  return narrowed((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
#endif
}

SEQUELA_INLINE void store(BFloat16* to, Floats x) {
  const Halves bits = to_bf16(x);
  std::memcpy(to, &bits, sizeof(bits));
}

// a[0], b[0], a[1], b[1], ... as bfloat16: the pairs of a packed right operand.
SEQUELA_INLINE void store_interleaved(BFloat16* to, Floats a, Floats b) {
  store_lanes(to, widened(to_bf16(a)) | (widened(to_bf16(b)) << 16));
}

// The first `count` < 16 values, the others 0.
template <class T>
SEQUELA_INLINE Floats load_part(const T* from, int64_t count) {
  T buffer[kLanes] = {};
  std::memcpy(buffer, from, count * sizeof(T));
  return load(buffer);
}

template <class T>
SEQUELA_INLINE void store_part(T* to, Floats x, int64_t count) {
  T buffer[kLanes];
  store(buffer, x);
  std::memcpy(to, buffer, count * sizeof(T));
}

// 2^x = 2^n (1 + tail), n = round(x) and |tail| < 0.42: kept apart, so that 1 - 2^x can be had
// without loss where 2^x is near 1. Good to 1 ulp; below -126 it stays 2^-126, from 128 on it is
// infinite, NaN stays NaN. The polynomial is that of Cephes' exp2f.
struct Exp2Parts {
  Ints exponent;  // n in the place of a float's exponent
  Floats tail;

  SEQUELA_INLINE Floats power() const { return as_floats(exponent + 0x3f800000); }
  SEQUELA_INLINE Floats value() const { return as_floats(as_ints(1.0f + tail) + exponent); }
};

constexpr float kRoundingShift = 0x1.8p23f;  // adding it rounds to an integer, held in the low bits

SEQUELA_INLINE Exp2Parts exp2_parts(Floats x) {
  x = max(splat(-126.0f), min(splat(128.0f), x));  // in this order a NaN stays one
  const Floats shifted = x + kRoundingShift;
  const Floats f = x - (shifted - kRoundingShift);
  Floats p = splat(1.535336188319500e-4f);
  p = p * f + 1.339887440266574e-3f;
  p = p * f + 9.618437357674640e-3f;
  p = p * f + 5.550332471162809e-2f;
  p = p * f + 2.402264791363012e-1f;
  p = p * f + 6.931472028550421e-1f;
  return {as_ints(shifted) << 23, p * f};
}

SEQUELA_INLINE Floats exp2(Floats x) {
  return exp2_parts(x).value();
}

// 2^x for x <= 0 where the result becomes a bfloat16: to 6e-5. Above 0 anything.
SEQUELA_INLINE Floats exp2_coarse(Floats x) {
  x = max(splat(-126.0f), x);
  const Floats shifted = x + kRoundingShift;
  const Floats f = x - (shifted - kRoundingShift);
  Floats p = splat(9.618130e-3f);
  p = p * f + 5.550356e-2f;
  p = p * f + 2.402265e-1f;
  p = p * f + 6.931472e-1f;
  p = p * f + 1.0f;
  return as_floats(as_ints(p) + (as_ints(shifted) << 23));
}

constexpr float kLog2E = 1.44269504088896f;

SEQUELA_INLINE Floats sigmoid(Floats x) {
  return 1.0f / (1.0f + exp2(-kLog2E * x));
}

}  // namespace
}  // namespace sequela
