#pragma once

#include <cstdint>

namespace sequela {

// Counter-based random numbers: the value depends on the key alone, never on threads or call order.

// Mixes 64 bits (the finalizer of SplitMix64; Steele et al., OOPSLA 2014).
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

constexpr uint64_t hash_key(uint64_t a, uint64_t b) {
  return mix64(mix64(a) ^ b);
}
constexpr uint64_t hash_key(uint64_t a, uint64_t b, uint64_t c) {
  return mix64(hash_key(a, b) ^ c);
}

// 53 random bits as a number in [0, 1).
constexpr double to_uniform(uint64_t hash) {
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

// A stream of random numbers that starts from a key; cheap to make, one per subject.
class Random {
 public:
  explicit constexpr Random(uint64_t key) : state_(mix64(key)) {}

  constexpr uint64_t next() { return mix64(state_ += 0x9E3779B97F4A7C15ull); }
  constexpr double uniform() { return to_uniform(next()); }
  // Uniform in [0, bound), bound > 0; its bias is below 2^-32 for bounds under 2^32.
  constexpr uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  double normal();       // mean 0, standard deviation 1
  double exponential();  // mean 1

 private:
  uint64_t state_;
};

}  // namespace sequela
