#pragma once

#include <cstdint>

namespace sequela {

// Elementwise and row-wise kernels that are compiled per instruction set. Each works on rows
// [begin, end) or on one row; strides are in values. In = float, or uint16_t for the bits of a
// bfloat16.

struct NormForwardRows {
  const float* x;
  int64_t x_stride;
  const void* branch;  // null = none
  int64_t branch_stride;
  float* sum;
  int64_t sum_stride;
  const float* weight;
  const float* features;  // null = none
  int64_t features_stride, num_features;
  void* out;
  int64_t out_stride;
  float* inverse_rms;
  int64_t size;
  float epsilon;
};

struct NormBackwardRows {
  const void* grad_out;
  int64_t grad_out_stride;
  const float* sum;
  int64_t sum_stride;
  const float* inverse_rms;
  const float* weight;
  float* grad_x;
  int64_t grad_x_stride;
  bool is_first;
  void* copy;  // null = none
  int64_t copy_stride;
  float* grad_weight;  // [size], added to
  int64_t size, num_overwritten;
};

struct SwigluRows {
  const void* ff;
  int64_t ff_stride;
  const void* grad_out;  // backward only
  int64_t grad_out_stride;
  void* result;  // forward: out; backward: the gradient of ff
  int64_t result_stride;
  int64_t size;  // half the columns of ff
};

struct BiasRows {
  void* x;
  int64_t x_stride;
  const float* bias;
  int64_t size;
};

// Types of the branch and of the output may differ; all others follow one type.
struct RowOps {
  void (*norm_forward[2][2])(const NormForwardRows& rows, int64_t begin,
                             int64_t end);  // [branch][out], 1 = bfloat16
  void (*norm_backward[2][2])(const NormBackwardRows& rows, int64_t begin,
                              int64_t end);  // [grad_out][copy]
  void (*swiglu_forward[2])(const SwigluRows& rows, int64_t begin, int64_t end);
  void (*swiglu_backward[2])(const SwigluRows& rows, int64_t begin, int64_t end);
  void (*add_bias[2])(const BiasRows& rows, int64_t begin, int64_t end);
  // total[i] += part[i]
  void (*accumulate[2])(float* total, const void* part, int64_t size);
  // total[i] += factor * row[i]
  void (*add_scaled)(float* total, const float* row, float factor, int64_t size);
};

extern const RowOps kRowOpsAvx2;
extern const RowOps kRowOpsAvx512;
extern const RowOps kRowOpsAvx512Bf16;

}  // namespace sequela
