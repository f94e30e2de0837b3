#pragma once

#include <cstdint>

namespace sequela {

// Small matrix products on tiles, C[M, N] (+)= A[M, K] B[K, N], sums in float32. The float version
// takes B as plain rows; the bfloat16 version (values as their bits) takes B with pairs of rows
// interleaved, [K / 2][N][2]. Each new shape costs the generation of a kernel, so keep to few. A
// thread that has called these must call tile_gemm_done() before it leaves the parallel region.
struct TileShape {
  int64_t m, n, k;
  int64_t lda, ldb, ldc;
};
enum class Sum { start, add };

void tile_gemm(const TileShape& shape, Sum sum, const float* a, const float* b, float* c);
void tile_gemm(const TileShape& shape, Sum sum, const uint16_t* a, const uint16_t* b, float* c);
// Unsigned by signed bytes with exact sums; B with fours of rows interleaved, [K / 4][N][4].
void tile_gemm(const TileShape& shape, Sum sum, const uint8_t* a, const int8_t* b, int32_t* c);
void tile_gemm_done();

// Whether the versions for bfloat16 and for bytes run on this CPU with the oneDNN that torch brings
// (tried once). Ask isa.h, which knows of limits, too.
bool has_bf16_tile_gemm();
bool has_int8_tile_gemm();

}  // namespace sequela
