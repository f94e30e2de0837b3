#pragma once

#include <cstdint>

namespace sequela {

// A weight row is read in blocks of 32 values, each as two vectors of 16: [0, 16) and [16, 32) of
// float32 weights; those at even and those at odd places of bfloat16 weights, which a shift and a
// mask tell apart where they lie. The rows of x are laid out to match before the product.
inline constexpr int64_t kFewRowsBlock = 32;

// out[t][o] = sum_i x[t][i] weight[o][i] for the outputs o in [begin, end); strides in values.
struct FewRows {
  const float* x;
  int64_t x_stride;
  const void* weight;  // [outputs][num_inputs], contiguous
  float* out;
  int64_t out_stride;
  int64_t num_rows, num_inputs;
};

struct FewRowsOps {
  // Of each kind, [1] is for bfloat16 weights.
  // x into `to`, [num_rows][num_inputs rounded up to blocks]: each block as the product reads it,
  // zeros behind the last value.
  void (*arrange[2])(const FewRows& rows, float* to);
  // With rows.x as arrange() laid it out.
  void (*product[2])(const FewRows& rows, int64_t begin, int64_t end);
};

extern const FewRowsOps kFewRowsAvx2;
extern const FewRowsOps kFewRowsAvx512;
extern const FewRowsOps kFewRowsAvx512Bf16;

// With rows.x as it is.
void few_rows_reference(const FewRows& rows, bool is_bf16, int64_t begin, int64_t end);

}  // namespace sequela
