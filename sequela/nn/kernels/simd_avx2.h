#pragma once

// simd.h's values in two registers of AVX2. (One vector of 64 bytes would be the same source, but
// GCC keeps vectors that are wider than a register in memory and takes their comparisons and
// shuffles apart lane by lane.)

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <utility>

namespace sequela {
namespace {

template <class T>
struct TwoRegisters {
  typedef T Half __attribute__((vector_size(32)));
  using Mask = TwoRegisters<int32_t>;
  using Self = TwoRegisters;

  Half low, high;

  TwoRegisters() = default;
  SEQUELA_INLINE TwoRegisters(T value) : low(Half{} + value), high(Half{} + value) {}
  SEQUELA_INLINE TwoRegisters(Half low_half, Half high_half) : low(low_half), high(high_half) {}

  friend SEQUELA_INLINE Self operator+(Self a, Self b) { return {a.low + b.low, a.high + b.high}; }
  friend SEQUELA_INLINE Self operator-(Self a, Self b) { return {a.low - b.low, a.high - b.high}; }
  friend SEQUELA_INLINE Self operator*(Self a, Self b) { return {a.low * b.low, a.high * b.high}; }
  friend SEQUELA_INLINE Self operator/(Self a, Self b) { return {a.low / b.low, a.high / b.high}; }
  friend SEQUELA_INLINE Self operator&(Self a, Self b) { return {a.low & b.low, a.high & b.high}; }
  friend SEQUELA_INLINE Self operator|(Self a, Self b) { return {a.low | b.low, a.high | b.high}; }
  friend SEQUELA_INLINE Self operator^(Self a, Self b) { return {a.low ^ b.low, a.high ^ b.high}; }
  friend SEQUELA_INLINE Self operator<<(Self a, int bits) {
    return {a.low << bits, a.high << bits};
  }
  friend SEQUELA_INLINE Self operator>>(Self a, int bits) {
    return {a.low >> bits, a.high >> bits};
  }
  friend SEQUELA_INLINE Self operator-(Self a) { return {-a.low, -a.high}; }
  SEQUELA_INLINE Self& operator+=(Self b) { return *this = *this + b; }
  SEQUELA_INLINE Self& operator*=(Self b) { return *this = *this * b; }

  friend SEQUELA_INLINE Mask operator<(Self a, Self b) { return {a.low < b.low, a.high < b.high}; }
  friend SEQUELA_INLINE Mask operator>(Self a, Self b) { return {a.low > b.low, a.high > b.high}; }
  friend SEQUELA_INLINE Mask operator<=(Self a, Self b) {
    return {a.low <= b.low, a.high <= b.high};
  }
  friend SEQUELA_INLINE Mask operator>=(Self a, Self b) {
    return {a.low >= b.low, a.high >= b.high};
  }
};

using Floats = TwoRegisters<float>;
using Ints = TwoRegisters<int32_t>;
using Words = TwoRegisters<uint32_t>;

SEQUELA_INLINE Floats as_floats(Words x) {
  return {reinterpret_cast<Floats::Half>(x.low), reinterpret_cast<Floats::Half>(x.high)};
}
SEQUELA_INLINE Floats as_floats(Ints x) {
  return {reinterpret_cast<Floats::Half>(x.low), reinterpret_cast<Floats::Half>(x.high)};
}
SEQUELA_INLINE Ints as_ints(Floats x) {
  return {reinterpret_cast<Ints::Half>(x.low), reinterpret_cast<Ints::Half>(x.high)};
}
SEQUELA_INLINE Words as_words(Ints x) {
  return {reinterpret_cast<Words::Half>(x.low), reinterpret_cast<Words::Half>(x.high)};
}
SEQUELA_INLINE Words as_words(Floats x) {
  return {reinterpret_cast<Words::Half>(x.low), reinterpret_cast<Words::Half>(x.high)};
}
SEQUELA_INLINE Ints to_ints(Floats x) {
  return {__builtin_convertvector(x.low, Ints::Half), __builtin_convertvector(x.high, Ints::Half)};
}
SEQUELA_INLINE Floats to_floats(Ints x) {
  return {__builtin_convertvector(x.low, Floats::Half),
          __builtin_convertvector(x.high, Floats::Half)};
}

template <class Vector>
SEQUELA_INLINE Vector load_lanes(const void* from) {
  typename Vector::Half low, high;
  std::memcpy(&low, from, sizeof(low));
  std::memcpy(&high, static_cast<const char*>(from) + sizeof(low), sizeof(high));
  return {low, high};
}
template <class Vector>
SEQUELA_INLINE void store_lanes(void* to, Vector x) {
  std::memcpy(to, &x.low, sizeof(x.low));
  std::memcpy(static_cast<char*>(to) + sizeof(x.low), &x.high, sizeof(x.high));
}

SEQUELA_INLINE Words widened(Halves bits) {
  const __m256i all = reinterpret_cast<__m256i>(bits);
  return {reinterpret_cast<Words::Half>(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(all))),
          reinterpret_cast<Words::Half>(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(all, 1)))};
}
SEQUELA_INLINE Halves narrowed(Words words) {
  const Words low_bits = words & 0xffff;
  const __m256i mixed = _mm256_packus_epi32(reinterpret_cast<__m256i>(low_bits.low),
                                            reinterpret_cast<__m256i>(low_bits.high));
  return reinterpret_cast<Halves>(_mm256_permute4x64_epi64(mixed, 0b11'01'10'00));
}

SEQUELA_INLINE Floats select(Ints mask, Floats if_true, Floats if_false) {
  const auto half = [](Ints::Half m, Floats::Half a, Floats::Half b) {
    return reinterpret_cast<Floats::Half>(_mm256_blendv_ps(
        reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(m)));
  };
  return {half(mask.low, if_true.low, if_false.low), half(mask.high, if_true.high, if_false.high)};
}
// a > b ? a : b, so that max(x, NaN) is NaN and max(NaN, x) is x.
SEQUELA_INLINE Floats max(Floats a, Floats b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
SEQUELA_INLINE Floats min(Floats a, Floats b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
SEQUELA_INLINE Floats sqrt(Floats x) {
  return {_mm256_sqrt_ps(x.low), _mm256_sqrt_ps(x.high)};
}

using LaneIds = std::make_integer_sequence<int, kLanes / 2>;  // of a register

template <int step, int... i>
SEQUELA_INLINE Floats exchanged_lanes(Floats x, std::integer_sequence<int, i...>) {
  return {__builtin_shufflevector(x.low, x.low, (i ^ step)...),
          __builtin_shufflevector(x.high, x.high, (i ^ step)...)};
}
template <int step>
SEQUELA_INLINE Floats exchanged(Floats x) {
  if constexpr (step == kLanes / 2) {
    return {x.high, x.low};
  } else {
    return exchanged_lanes<step>(x, LaneIds{});
  }
}

template <int step, int... i>
SEQUELA_INLINE void exchange_lanes(Words::Half& upper, Words::Half& lower,
                                   std::integer_sequence<int, i...>) {
  constexpr int kSize = kLanes / 2;
  const Words::Half a = upper, b = lower;
  upper = __builtin_shufflevector(a, b, ((i & step) == 0 ? i : i - step + kSize)...);
  lower = __builtin_shufflevector(a, b, ((i & step) == 0 ? i + step : i + kSize)...);
}
template <int step>
SEQUELA_INLINE void exchange_blocks(Words& upper, Words& lower) {
  if constexpr (step == kLanes / 2) {
    std::swap(upper.high, lower.low);
  } else {
    exchange_lanes<step>(upper.low, lower.low, LaneIds{});
    exchange_lanes<step>(upper.high, lower.high, LaneIds{});
  }
}

SEQUELA_INLINE Floats doubled(const float* from) {
  Floats::Half x;
  std::memcpy(&x, from, sizeof(x));
  return {__builtin_shufflevector(x, x, 0, 0, 1, 1, 2, 2, 3, 3),
          __builtin_shufflevector(x, x, 4, 4, 5, 5, 6, 6, 7, 7)};
}

SEQUELA_INLINE float sum(Floats x) {
  x += exchanged<8>(x);
  x += exchanged<4>(x);
  x += exchanged<2>(x);
  return x.low[0] + x.low[1];
}

SEQUELA_INLINE float largest(Floats x) {
  x = max(x, exchanged<8>(x));
  x = max(x, exchanged<4>(x));
  x = max(x, exchanged<2>(x));
  return x.low[0] > x.low[1] ? x.low[0] : x.low[1];
}

}  // namespace
}  // namespace sequela
