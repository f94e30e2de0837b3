#include "sequela/nn/kernels/tile_gemm.h"

#include <ATen/native/CPUBlas.h>

#include <exception>
#include <vector>

namespace sequela {
namespace {

// Tries a product of zeros: oneDNN and torch say by an exception what they lack.
template <class A, class B, class C>
bool runs() {
  constexpr int64_t kSize = 64;
  const std::vector<A> a(kSize * kSize, 0);
  const std::vector<B> b(kSize * kSize, 0);
  std::vector<C> c(kSize * kSize);
  try {
    tile_gemm({kSize, kSize, kSize, kSize, kSize, kSize}, Sum::start, a.data(), b.data(), c.data());
    tile_gemm_done();
    return true;
  } catch (const std::exception&) {  // torch's or oneDNN's own
    return false;
  }
}

}  // namespace

void tile_gemm(const TileShape& s, Sum sum, const float* a, const float* b, float* c) {
  at::native::cpublas::brgemm(s.m, s.n, s.k, s.lda, s.ldb, s.ldc, sum == Sum::add, a, b, c, false);
}

void tile_gemm(const TileShape& s, Sum sum, const uint16_t* a, const uint16_t* b, float* c) {
  at::native::cpublas::brgemm(s.m, s.n, s.k, s.lda, s.ldb, s.ldc, sum == Sum::add,
                              reinterpret_cast<const at::BFloat16*>(a),
                              reinterpret_cast<const at::BFloat16*>(b), c, true);
}

void tile_gemm(const TileShape& s, Sum sum, const uint8_t* a, const int8_t* b, int32_t* c) {
  at::native::cpublas::brgemm(s.m, s.n, s.k, s.lda, s.ldb, s.ldc, sum == Sum::add, a, b, c);
}

bool has_bf16_tile_gemm() {
  static const bool has_it = runs<uint16_t, uint16_t, float>();
  return has_it;
}

bool has_int8_tile_gemm() {
  static const bool has_it = runs<uint8_t, int8_t, int32_t>();
  return has_it;
}

void tile_gemm_done() {
  at::native::cpublas::brgemm_release();
}

}  // namespace sequela
