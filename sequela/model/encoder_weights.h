#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "sequela/model/encoder_config.h"
#include "sequela/nn/parameters.h"
#include "sequela/nn/recurrence.h"

namespace sequela {

// The tensors of one layer, or their gradients, as the passes use them.
//
//   H = hidden, F = intermediate size, N = columns of the fused input projection
struct LayerTensors {
  bool is_hawk = false;
  at::Tensor norm_weight_H;
  at::Tensor input_weight_NH;  // [ff | q | k | v], hawk: [ff | x | y]
  at::Tensor input_bias;     // of the last columns of N, as many as it has values; undefined = none
  at::Tensor output_weight;  // [H, H + F]
  at::Tensor output_bias_H;  // undefined = none
  HawkParameters hawk;       // hawk layers only, as the two below
  at::Tensor hawk_out_weight_HH;
  at::Tensor hawk_out_bias_H;
};

struct EncoderTensors {
  at::Tensor embedding_VH;
  at::Tensor in_norm_H;
  std::vector<LayerTensors> layers;
  at::Tensor out_norm_H;
};

struct MotorHeadTensors {
  at::Tensor final_weight;    // [bins * size, H]
  at::Tensor final_bias;      // [bins * size]
  at::Tensor norm_weight;     // [size]; undefined in older heads
  at::Tensor task_weight_CF;  // [tasks, size]
  at::Tensor task_bias_C;
  at::Tensor time_bias_KC;  // [bins, tasks]; undefined in older heads
};

// Views of `flat` (all values, or all gradients) at the parameters' offsets; weights of matrix
// products come from `flat_matrices` instead, which has the same offsets and may be bfloat16.
EncoderTensors bind_encoder(const ModelConfig& config, const Parameters& parameters,
                            const at::Tensor& flat, const at::Tensor& flat_matrices);
MotorHeadTensors bind_motor_head(const Parameters& parameters, const at::Tensor& flat,
                                 const at::Tensor& flat_matrices);

}  // namespace sequela
