#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/nn/ways.h"

namespace sequela {

// Row-wise and element-wise parts of a layer, fused so that each pass reads and writes memory once.
//
//   T = tokens (rows), H = hidden size, F = feed-forward size, K = overwritten columns
//
// Matrices may have any row stride and must have unit column stride. "mixed" = float32 or bfloat16;
// arithmetic is float32. Reference: kernels/elementwise_reference.cc. Errors: std::invalid_argument
// for wrong shapes or types. Norm and gated product by the plain way (`ways`): float16 and float64,
// too.

inline constexpr double kRmsNormEpsilon = 1e-6;

// [time_data, time_data^2], float32 [T, 10], from float32 [T, 5]. Attention layers overwrite with
// all ten columns, hawk layers with the first five (a narrow view).
void fill_time_features(const at::Tensor& time_data_T5, at::Tensor& time_features_T10);

// Residual add, RMSNorm and time features in one pass:
//   sum = x + branch;  out = sum / sqrt(mean(sum^2) + eps) * weight;  out[:, H-K:] = time features
// The norm is over all H columns of sum, before the overwriting.
struct RmsNormForward {
  at::Tensor x_TH;              // float32
  at::Tensor branch_TH;         // mixed; undefined = no add (sum_TH is then not written)
  at::Tensor sum_TH;            // float32, written; may be x_TH itself
  at::Tensor weight_H;          // float32
  at::Tensor time_features_TK;  // float32; undefined = no overwriting
  at::Tensor out_TH;            // mixed, written
  at::Tensor inverse_rms_T;     // float32, written
};
void rms_norm_forward(const RmsNormForward& args, const Ways& ways = {});

// Gradient of the above, added to the running gradient of the residual stream:
//   grad_x += d norm(sum)/d sum applied to grad_out (columns H-K.. of grad_out count as 0)
struct RmsNormBackward {
  at::Tensor grad_out_TH;       // mixed
  at::Tensor sum_TH;            // float32, what was normed
  at::Tensor inverse_rms_T;     // float32
  at::Tensor weight_H;          // float32
  int64_t num_overwritten = 0;  // K
  at::Tensor grad_x_TH;         // float32; may be sum_TH itself if is_first
  bool is_first = false;        // grad_x is overwritten instead of added to
  at::Tensor grad_x_copy_TH;  // mixed, gets the new grad_x; undefined = none. Gradient of `branch`.
  at::Tensor grad_weight_H;   // float32, added to
};
void rms_norm_backward(const RmsNormBackward& args, const Ways& ways = {});

// out = silu(ff[:, :F]) * ff[:, F:]; mixed, one type for all.
void swiglu_forward(const at::Tensor& ff_T2F, const at::Tensor& out_TF, const Ways& ways = {});
void swiglu_backward(const at::Tensor& ff_T2F, const at::Tensor& grad_out_TF,
                     const at::Tensor& grad_ff_T2F, const Ways& ways = {});

// Exact gelu (by erf); mixed, one type for all.
void gelu_forward(const at::Tensor& ff_TF, const at::Tensor& out_TF);
void gelu_backward(const at::Tensor& ff_TF, const at::Tensor& grad_out_TF,
                   const at::Tensor& grad_ff_TF);

// x += bias for each row; x mixed, bias float32. Its gradient: grad_bias += column sums of grad.
void add_bias(const at::Tensor& x_TF, const at::Tensor& bias_F);
void add_column_sums(const at::Tensor& grad_TF, const at::Tensor& grad_bias_F);

// total += part; total float32, part mixed, both contiguous and of the same size.
void accumulate(const at::Tensor& total, const at::Tensor& part);

}  // namespace sequela
