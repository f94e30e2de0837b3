#pragma once

// Sixteen floats at a time, by GCC's vector extensions: the same source becomes AVX-512 or pairs of
// AVX2 instructions, as the file's flags say. Included only by the files x_<isa>.cc, which are
// compiled with those flags; everything has internal linkage, so that no code for one instruction
// set is ever merged into another's.

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <utility>

namespace sequela {
namespace {

#define SEQUELA_INLINE inline __attribute__((always_inline))

using Floats = float __attribute__((vector_size(64)));
using Ints = int32_t __attribute__((vector_size(64)));
using Words = uint32_t __attribute__((vector_size(64)));
using Halves = uint16_t __attribute__((vector_size(32)));
constexpr int kLanes = 16;

using BFloat16 = uint16_t;  // its bits; here so that no header with code is needed

SEQUELA_INLINE Floats splat(float value) {
  return Floats{} + value;
}
SEQUELA_INLINE Ints splat_int(int32_t value) {
  return Ints{} + value;
}

// 16 to 32 bits and back. (GCC 12 splits the vectors in two when left to itself.)
SEQUELA_INLINE Words widened(Halves bits) {
#if defined(__AVX512F__)
  return reinterpret_cast<Words>(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(bits)));
#else
  return __builtin_convertvector(bits, Words);
#endif
}

SEQUELA_INLINE Halves narrowed(Words words) {
#if defined(__AVX512F__)
  return reinterpret_cast<Halves>(_mm512_cvtepi32_epi16(reinterpret_cast<__m512i>(words)));
#else
  return __builtin_convertvector(words, Halves);
#endif
}

SEQUELA_INLINE Floats load(const float* from) {
  Floats x;
  std::memcpy(&x, from, sizeof(x));
  return x;
}

SEQUELA_INLINE Floats load(const BFloat16* from) {
  Halves bits;
  std::memcpy(&bits, from, sizeof(bits));
  return reinterpret_cast<Floats>(widened(bits) << 16);
}

SEQUELA_INLINE void store(float* to, Floats x) {
  std::memcpy(to, &x, sizeof(x));
}

// To the nearest bfloat16, ties to even. Infinities stay; the processor's own NaN stays NaN.
SEQUELA_INLINE Halves to_bf16(Floats x) {
#if defined(__AVX512BF16__)
  const __m256bh rounded = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(x));
  Halves bits;
  std::memcpy(&bits, &rounded, sizeof(bits));
  return bits;
#else
  const Words bits = reinterpret_cast<Words>(x);
  return narrowed((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
#endif
}

SEQUELA_INLINE void store(BFloat16* to, Floats x) {
  const Halves bits = to_bf16(x);
  std::memcpy(to, &bits, sizeof(bits));
}

// a[0], b[0], a[1], b[1], ... as bfloat16: the pairs of a packed right operand.
SEQUELA_INLINE void store_interleaved(BFloat16* to, Floats a, Floats b) {
  const Words pairs = widened(to_bf16(a)) | (widened(to_bf16(b)) << 16);
  std::memcpy(to, &pairs, sizeof(pairs));
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

SEQUELA_INLINE Floats select(Ints mask, Floats if_true, Floats if_false) {
  return mask ? if_true : if_false;
}
SEQUELA_INLINE Floats max(Floats a, Floats b) {
  return a > b ? a : b;
}
SEQUELA_INLINE Floats min(Floats a, Floats b) {
  return a < b ? a : b;
}

SEQUELA_INLINE Floats sqrt(Floats x) {
#if defined(__AVX512F__)
  return reinterpret_cast<Floats>(_mm512_sqrt_ps(reinterpret_cast<__m512>(x)));
#else
  __m256 halves[2];
  std::memcpy(halves, &x, sizeof(x));
  for (__m256& half : halves) half = _mm256_sqrt_ps(half);
  std::memcpy(&x, halves, sizeof(x));
  return x;
#endif
}

using LaneIds = std::make_integer_sequence<int, kLanes>;

template <int step, int... i>
SEQUELA_INLINE Floats exchanged_lanes(Floats x, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(x, x, (i ^ step)...);
}

// Lane i gets lane i ^ step.
template <int step>
SEQUELA_INLINE Floats exchanged(Floats x) {
  return exchanged_lanes<step>(x, LaneIds{});
}

SEQUELA_INLINE float sum(Floats x) {
  x += exchanged<8>(x);
  x += exchanged<4>(x);
  x += exchanged<2>(x);
  return x[0] + x[1];
}

SEQUELA_INLINE float largest(Floats x) {
  x = max(x, exchanged<8>(x));
  x = max(x, exchanged<4>(x));
  x = max(x, exchanged<2>(x));
  return x[0] > x[1] ? x[0] : x[1];
}

// 2^x = 2^n (1 + tail), n = round(x) and |tail| < 0.42: kept apart, so that 1 - 2^x can be had
// without loss where 2^x is near 1. Good to 1 ulp; below -126 it stays 2^-126, from 128 on it is
// infinite, NaN stays NaN. The polynomial is that of Cephes' exp2f.
struct Exp2Parts {
  Ints exponent;  // n in the place of a float's exponent
  Floats tail;

  SEQUELA_INLINE Floats power() const { return reinterpret_cast<Floats>(exponent + 0x3f800000); }
  SEQUELA_INLINE Floats value() const {
    return reinterpret_cast<Floats>(reinterpret_cast<Ints>(1.0f + tail) + exponent);
  }
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
  return {reinterpret_cast<Ints>(shifted) << 23, p * f};
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
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) +
                                  (reinterpret_cast<Ints>(shifted) << 23));
}

constexpr float kLog2E = 1.44269504088896f;

SEQUELA_INLINE Floats sigmoid(Floats x) {
  return 1.0f / (1.0f + exp2(-kLog2E * x));
}

}  // namespace
}  // namespace sequela
