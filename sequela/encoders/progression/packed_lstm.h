#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/encoders/progression/sequence_pack.h"

namespace sequela {

// The weights of one direction of one layer, in torch's order of gates: i, f, g, o.
struct LstmWeights {
  at::Tensor input_GI;   // [4H, I]
  at::Tensor hidden_GH;  // [4H, H]
  at::Tensor input_bias_G;
  at::Tensor hidden_bias_G;
};

// Takes <prefix>{weight_ih,weight_hh,bias_ih,bias_hh}_l<layer><suffix>, checked for their shapes.
LstmWeights get_lstm_weights(const NamedTensors& weights, const std::string& prefix, int64_t layer,
                             int64_t input_size, int64_t hidden_size,
                             const std::string& suffix = "");

// One LSTM layer over packed sequences, from state 0: [T, I] -> outputs [T, H]. Differentiable in x
// and the weights; keeps five numbers a token and hidden unit for it.
at::Tensor packed_lstm(const at::Tensor& x_TI, const SequencePack& pack, const LstmWeights& weights,
                       bool use_bf16);

}  // namespace sequela
