#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/encoders/progression/visit_batch.h"
#include "sequela/encoders/progression/visit_pooling.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// LSTMBaseline: pooled visits, one LSTM over them, one prediction a patient.
//   embedding -> visit_encoder (pooling) -> lstm -> last state -> dropout -> fc
struct LstmBaselineConfig {
  int64_t vocab_size = 0;
  int64_t embedding_dim = 128;
  int64_t hidden_dim = 256;
  int64_t num_layers = 2;
  double dropout = 0.3;
  bool is_bidirectional = false;
  VisitPooling pooling = VisitPooling::mean;
  int64_t output_dim = 1;

  void validate() const;  // ConfigError
  std::vector<ParameterShape> parameter_shapes() const;
};

//   B = patients, N = visits, D = output_dim, H = hidden_dim (twice that if bidirectional)
struct LstmBaselineOutput {
  at::Tensor logits_BD;
  at::Tensor predictions_BD;  // sigmoid for D = 1, else softmax
  at::Tensor hidden_BNH;      // 0 after a patient's last visit
};

// Differentiable; errors as forward_progression. A patient without visits has a zero state.
LstmBaselineOutput forward_lstm_baseline(const LstmBaselineConfig& config,
                                         const NamedTensors& weights, const VisitBatch& batch,
                                         const VisitForwardOptions& options = {});

}  // namespace sequela
