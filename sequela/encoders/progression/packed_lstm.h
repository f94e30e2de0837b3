#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/encoders/progression/visit_batch.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// Rows of sequences laid out step by step, longest sequence first: step t holds token t of the
// step_sizes[t] sequences that have one. Row r of step t follows row r of step t - 1.
//
//   R = rows that may hold a sequence, S = sequences that do (none is empty), T = tokens
struct SequencePack {
  std::vector<int64_t> step_sizes;  // descending, sums to T
  at::Tensor source_T;              // int64, where each token stands among the padded [R * C]
  at::Tensor
      reverse_T;      // int64, the packed place of the same sequence's token counted from the end
  at::Tensor rows_S;  // int64, the row of each sequence
  at::Tensor last_S;  // int64, the packed place of each sequence's last token

  int64_t num_tokens() const { return source_T.size(0); }
  int64_t num_sequences() const { return rows_S.size(0); }
};

// Packs the unmasked tokens of each row, in blocks of whole sequences with at most `block_tokens`
// tokens (or one sequence); 0: one block. Longer sequences come first. No block if all is masked.
//   mask_RC  bool, on any device; the index tensors are made on that device
std::vector<SequencePack> pack_sequences(const at::Tensor& mask_RC, int64_t block_tokens = 0);

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
