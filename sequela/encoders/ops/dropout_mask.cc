#include "sequela/encoders/ops/dropout_mask.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "sequela/core/random.h"

namespace sequela {
namespace {

constexpr int64_t kBlock = 256;
constexpr int64_t kGrainBlocks = 64;

int64_t limit_of(double probability) {
  return std::lround(probability * 65'536);
}

// x >> bits of an unsigned number that an int64 holds.
at::Tensor shifted(const at::Tensor& x, int64_t bits) {
  return at::bitwise_right_shift(x, bits).bitwise_and((int64_t{1} << (64 - bits)) - 1);
}

// mix64 (core/random.h) in torch's operations, which wrap around as it does.
at::Tensor mixed(const at::Tensor& start) {
  const auto word = [](uint64_t bits) { return static_cast<int64_t>(bits); };
  at::Tensor x = start + word(0x9E3779B97F4A7C15ull);
  x = x.bitwise_xor(shifted(x, 30)) * word(0xBF58476D1CE4E5B9ull);
  x = x.bitwise_xor(shifted(x, 27)) * word(0x94D049BB133111EBull);
  return x.bitwise_xor(shifted(x, 31));
}

}  // namespace

void fill_dropout_mask_plain(at::Tensor mask, double probability, uint64_t key) {
  const int64_t size = mask.numel();
  const at::TensorOptions words = mask.options().dtype(at::kLong);
  const at::Tensor hashes =
      mixed(at::arange((size + 3) / 4, words) + static_cast<int64_t>(mix64(key)));
  const at::Tensor draws = at::bitwise_right_shift(hashes.unsqueeze(1), at::arange(4, words) * 16)
                               .bitwise_and(0xFFFF)
                               .flatten()
                               .narrow(0, 0, size);
  const auto scale = static_cast<float>(1 / (1 - probability));
  mask.copy_((draws >= limit_of(probability)).to(at::kFloat).mul_(scale).view(mask.sizes()));
}

void fill_dropout_mask(at::Tensor mask, double probability, uint64_t key) {
  if (!mask.is_cpu()) return fill_dropout_mask_plain(mask, probability, key);
  const auto limit = static_cast<uint16_t>(limit_of(probability));
  const auto scale = static_cast<float>(1 / (1 - probability));
  const int64_t size = mask.numel();
  float* values = mask.mutable_data_ptr<float>();
  const uint64_t start = mix64(key);
  // Two simple loops over a small block, which compilers turn into vector code.
  const auto fill_block = [&](int64_t begin) {
    std::array<uint64_t, kBlock / 4> words;
    std::array<uint16_t, kBlock> draws;
    for (int64_t i = 0; i < kBlock / 4; ++i) words[i] = mix64(start + begin / 4 + i);
    std::memcpy(draws.data(), words.data(), sizeof(words));
    const int64_t count = std::min(kBlock, size - begin);
    for (int64_t i = 0; i < count; ++i) values[begin + i] = draws[i] < limit ? 0.0F : scale;
  };
  at::parallel_for(0, (size + kBlock - 1) / kBlock, kGrainBlocks, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) fill_block(block * kBlock);
  });
}

at::Tensor dropped(const at::Tensor& x, double probability,
                   const std::optional<at::Generator>& generator) {
  const double keep = 1 - probability;
  const at::Device place = generator ? generator->device() : x.device();
  const at::TensorOptions options = x.options().requires_grad(false).device(place);
  const at::Tensor factors = at::empty(x.sizes(), options).bernoulli_(keep, generator);
  return x * factors.div_(keep).to(x.device());
}

}  // namespace sequela
