#include "sequela/nn/kernels/tile_gemm.h"

#include <ATen/native/CPUBlas.h>

namespace sequela {

void tile_gemm(const TileShape& s, Sum sum, const float* a, const float* b, float* c) {
  at::native::cpublas::brgemm(s.m, s.n, s.k, s.lda, s.ldb, s.ldc, sum == Sum::add, a, b, c, false);
}

void tile_gemm(const TileShape& s, Sum sum, const uint16_t* a, const uint16_t* b, float* c) {
  at::native::cpublas::brgemm(s.m, s.n, s.k, s.lda, s.ldb, s.ldc, sum == Sum::add,
                              reinterpret_cast<const at::BFloat16*>(a),
                              reinterpret_cast<const at::BFloat16*>(b), c, true);
}

void tile_gemm_done() {
  at::native::cpublas::brgemm_release();
}

}  // namespace sequela
