#pragma once

#include <cstdint>
#include <string>

#include "sequela/nn/kernels/row_ops.h"

namespace sequela {

// Entry points of the CUDA kernels: plain pointers to device memory, sizes, and a cudaStream_t as
// void*. The .cu files see neither torch nor the standard library's containers; the callers are
// nn/cuda/*.cc. Each throws std::runtime_error when a launch fails. What is computed: the headers
// of nn; the CPU versions are the reference.
enum class Value { fp32, bf16 };

// device_facts.cu. Versions are CUDA's numbers, 12040 for 12.4; a driver's is 0 where there is
// none.
struct CudaVersions {
  int driver, runtime;  // the newest that the driver takes; what this program was built with
};
CudaVersions cuda_versions();

struct CudaDeviceFacts {
  std::string name;
  int major, minor;  // compute capability
  int64_t free_bytes, total_bytes;
};
CudaDeviceFacts cuda_device_facts(int index);

// rows.cu. `grad_weight` of the backward pass is [kNormSums][size], zeroed by the caller, to be
// summed by it.
inline constexpr int64_t kNormSums = 256;
void cuda_norm_forward(const NormForwardRows& rows, Value branch, Value out, int64_t num_rows,
                       void* stream);
void cuda_norm_backward(const NormBackwardRows& rows, Value grad_out, Value copy, int64_t num_rows,
                        void* stream);
void cuda_swiglu_forward(const SwigluRows& rows, Value value, int64_t num_rows, void* stream);
void cuda_swiglu_backward(const SwigluRows& rows, Value value, int64_t num_rows, void* stream);

// rotary.cu: to[t][h][d] = from[t][h][d] rotated by direction * angle; rows of heads * size values.
struct RotaryCall {
  const void* from;
  int64_t from_stride;
  void* to;
  int64_t to_stride;
  const float* cosines;  // [T][size / 2]
  const float* sines;
  int64_t num_tokens, heads, size;
  float direction;
};
void cuda_rotate(const RotaryCall& call, Value value, void* stream);

// hawk.cu. Gates and their gradients are laid out [block][token][channel of the block], as batched
// products give and take them; everything else [token][channel].
struct HawkCall {
  int64_t num_tokens, width, block_size;
  const int32_t* sequence_starts;  // [T] first token of each token's sequence
  const void* x;
  int64_t x_stride;
  const void* y;
  int64_t y_stride;
  const float* conv_weight;  // [4][width]
  const float* conv_bias;
  const float* a_gate_bias;
  const float* input_gate_bias;
  const float* a_param;  // [width]
  void* conv;            // [T][width], of the tensors' type: result, then input of the others
  const void* a_gate;    // before bias and sigmoid
  const void* input_gate;
  float* saved_states;    // [chunks][width]
  float* chunk_products;  // [chunks][width], scratch
  float* chunk_values;    // [chunks][width], scratch
};
struct HawkBackward {
  const void* grad_out;
  int64_t grad_out_stride;
  void* grad_y;
  int64_t grad_y_stride;
  void* grad_x;
  int64_t grad_x_stride;
  float* states_before;  // [T][width], scratch
  void* grad_a_gate;     // results
  void* grad_input_gate;
  float* grad_conv;     // [T][width]; cuda_hawk_scan_backward writes the part that misses the gates
  const void* a_share;  // [N][T][B], of the tensors' type: what comes by the gates' products
  const void* input_share;
  float* sums;  // [kHawkSums][chunks][width], scratch
  // What the sums are added to, in their order; four rows of taps.
  float* grad_a_gate_bias;
  float* grad_input_gate_bias;
  float* grad_a_param;
  float* grad_conv_weight;
  float* grad_conv_bias;
};
inline constexpr int64_t kHawkSums = 8;
void cuda_hawk_convolve(const HawkCall& call, Value value, void* stream);
void cuda_hawk_scan(const HawkCall& call, void* out, int64_t out_stride, Value value, void* stream);
void cuda_hawk_scan_backward(const HawkCall& call, const HawkBackward& backward, Value value,
                             void* stream);
// And adds up the sums.
void cuda_hawk_convolve_backward(const HawkCall& call, const HawkBackward& backward, Value value,
                                 void* stream);

// time_to_event.cu: one block per row (label, bin).
struct LossRows {
  int64_t num_rows, num_bins, num_tasks;
  const int64_t* rows;  // label * bins + bin
  void* logits;         // [rows][num_tasks] without bias; becomes the gradient if has_gradient
  const float* bias;    // [bins][num_tasks]
  const float* edges;
  const float* censor_seconds;
  const int32_t* row_offsets;
  const int32_t* task_ids;
  const float* event_seconds;
  bool rounds_log2;  // TimeAtRisk::log2_float16
  bool has_gradient;
  float gradient_scale;
  float* survival;  // [rows] sums
  float* event;     // [rows]
};
void cuda_time_to_event(const LossRows& rows, Value value, void* stream);

}  // namespace sequela
