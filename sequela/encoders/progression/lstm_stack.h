#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/encoders/progression/sequence_pack.h"
#include "sequela/encoders/progression/visit_batch.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// Layers of an LSTM, dropout between them, one direction or both (outputs side by side).
struct LstmStack {
  std::string prefix;  // "encoder.sequence_lstm."
  int64_t input_size = 0;
  int64_t hidden_size = 0;
  int64_t num_layers = 1;
  bool is_bidirectional = false;
  double dropout = 0;
};
struct LstmStackOutput {
  at::Tensor outputs_TH;  // of the last layer, packed
  at::Tensor last_LSH;    // state of each layer (and direction: forward, backward) at the end
};
LstmStackOutput forward_lstm_stack(const LstmStack& stack, const at::Tensor& x_TI,
                                   const SequencePack& pack, const NamedTensors& weights,
                                   const VisitForwardOptions& options);

// The same on padded rows: x_BNI with the steps of bool mask_BN -> outputs, 0 where masked, and the
// last states, 0 for a row without a step.
struct LstmSequences {
  at::Tensor outputs_BNH;
  at::Tensor last_LBH;
};
LstmSequences run_lstm_on_rows(const LstmStack& stack, const at::Tensor& x_BNI,
                               const at::Tensor& mask_BN, const NamedTensors& weights,
                               const VisitForwardOptions& options);

// Adds the names and shapes of a stack's weights.
void add_lstm_shapes(const LstmStack& stack, std::vector<ParameterShape>* shapes);

// Scales kept values by 1 / (1 - rate) and sets the others to 0; x itself without training.
at::Tensor apply_dropout(const at::Tensor& x, double rate, const VisitForwardOptions& options);

// x @ weight^T + bias, in bfloat16 if the options say so; float32 out.
at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight_OI, const at::Tensor& bias_O,
                        const VisitForwardOptions& options);

}  // namespace sequela
