#include "sequela/nn/kernels/tile_gemm.h"

#include <ATen/native/CPUBlas.h>

#include <exception>
#include <vector>

namespace sequela {

void tile_gemm(const TileShape& s, Sum sum, const float* a, const float* b, float* c) {
  at::native::cpublas::brgemm(s.m, s.n, s.k, s.lda, s.ldb, s.ldc, sum == Sum::add, a, b, c, false);
}

void tile_gemm(const TileShape& s, Sum sum, const uint16_t* a, const uint16_t* b, float* c) {
  at::native::cpublas::brgemm(s.m, s.n, s.k, s.lda, s.ldb, s.ldc, sum == Sum::add,
                              reinterpret_cast<const at::BFloat16*>(a),
                              reinterpret_cast<const at::BFloat16*>(b), c, true);
}

bool has_bf16_tile_gemm() {
  static const bool has_it = [] {
    constexpr int64_t kSize = 64;
    const std::vector<uint16_t> operand(kSize * kSize, 0);
    std::vector<float> result(kSize * kSize);
    try {
      tile_gemm({kSize, kSize, kSize, kSize, kSize, kSize}, Sum::start, operand.data(),
                operand.data(), result.data());
      tile_gemm_done();
      return true;
    } catch (const std::exception&) {  // torch's or oneDNN's own
      return false;
    }
  }();
  return has_it;
}

void tile_gemm_done() {
  at::native::cpublas::brgemm_release();
}

}  // namespace sequela
