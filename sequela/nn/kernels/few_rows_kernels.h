#pragma once

#include <cstdint>

namespace sequela {

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
  void (*product[2])(const FewRows& rows, int64_t begin, int64_t end);  // weights: 1 = bfloat16
};

extern const FewRowsOps kFewRowsAvx2;
extern const FewRowsOps kFewRowsAvx512;
extern const FewRowsOps kFewRowsAvx512Bf16;

void few_rows_reference(const FewRows& rows, bool is_bf16, int64_t begin, int64_t end);

}  // namespace sequela
