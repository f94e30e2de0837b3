#pragma once

// simd.h's values in one register of AVX-512.

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <utility>

namespace sequela {
namespace {

using Floats = float __attribute__((vector_size(64)));
using Ints = int32_t __attribute__((vector_size(64)));
using Words = uint32_t __attribute__((vector_size(64)));

SEQUELA_INLINE Floats as_floats(Words x) {
  return reinterpret_cast<Floats>(x);
}
SEQUELA_INLINE Floats as_floats(Ints x) {
  return reinterpret_cast<Floats>(x);
}
SEQUELA_INLINE Ints as_ints(Floats x) {
  return reinterpret_cast<Ints>(x);
}
SEQUELA_INLINE Words as_words(Ints x) {
  return reinterpret_cast<Words>(x);
}
SEQUELA_INLINE Words as_words(Floats x) {
  return reinterpret_cast<Words>(x);
}
SEQUELA_INLINE Ints to_ints(Floats x) {
  return __builtin_convertvector(x, Ints);
}
SEQUELA_INLINE Floats to_floats(Ints x) {
  return __builtin_convertvector(x, Floats);
}

template <class Vector>
SEQUELA_INLINE Vector load_lanes(const void* from) {
  Vector x;
  std::memcpy(&x, from, sizeof(x));
  return x;
}
template <class Vector>
SEQUELA_INLINE void store_lanes(void* to, Vector x) {
  std::memcpy(to, &x, sizeof(x));
}

// (GCC 12 splits the vectors in two when left to itself.)
SEQUELA_INLINE Words widened(Halves bits) {
  return reinterpret_cast<Words>(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(bits)));
}
SEQUELA_INLINE Halves narrowed(Words words) {
  return reinterpret_cast<Halves>(_mm512_cvtepi32_epi16(reinterpret_cast<__m512i>(words)));
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
  return reinterpret_cast<Floats>(_mm512_sqrt_ps(reinterpret_cast<__m512>(x)));
}

using LaneIds = std::make_integer_sequence<int, kLanes>;

template <int step, int... i>
SEQUELA_INLINE Floats exchanged_lanes(Floats x, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(x, x, (i ^ step)...);
}
template <int step>
SEQUELA_INLINE Floats exchanged(Floats x) {
  return exchanged_lanes<step>(x, LaneIds{});
}

template <int step, int... i>
SEQUELA_INLINE void exchange_lanes(Words& upper, Words& lower, std::integer_sequence<int, i...>) {
  const Words a = upper, b = lower;
  upper = __builtin_shufflevector(a, b, ((i & step) == 0 ? i : i - step + kLanes)...);
  lower = __builtin_shufflevector(a, b, ((i & step) == 0 ? i + step : i + kLanes)...);
}
template <int step>
SEQUELA_INLINE void exchange_blocks(Words& upper, Words& lower) {
  exchange_lanes<step>(upper, lower, LaneIds{});
}

SEQUELA_INLINE Floats doubled(const float* from) {
  using EightFloats = float __attribute__((vector_size(32)));
  EightFloats x;
  std::memcpy(&x, from, sizeof(x));
  return __builtin_shufflevector(x, x, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
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

}  // namespace
}  // namespace sequela
