#include "sequela/encoders/ops/dropout_mask.h"

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

}  // namespace

void fill_dropout_mask(at::Tensor mask, double probability, uint64_t key) {
  const auto limit = static_cast<uint16_t>(std::lround(probability * 65'536));
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

}  // namespace sequela
