#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <vector>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/bert/bert_input.h"
#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/nn/ways.h"

namespace sequela {

// The encoders of the BERT family on packed sequences.
//
//   S = sequences, T = tokens, H = hidden size, A = attention heads, L = longest sequence
//
// Weights are named as in Hugging Face's files of a model with a head: "bert.embeddings.…" or
// "bert.cehr_bert_embeddings.…", "bert.encoder.layer.0.attention.self.query.weight",
// "bert.pooler.…"; heads without that prefix ("cls.predictions.…", see bert_heads.h).

// What to return besides the last hidden states.
struct BertRequest {
  bool pooled = false;         // tanh(dense(first token)); the folder must have a pooler
  bool hidden_states = false;  // of the embeddings and after each layer
  bool attentions = false;     // costs S * A * L * L per layer
  at::Tensor key_mask_T;       // bool; attention ignores keys with 0 (a sequence needs one key);
                               // undefined: all are keys. Slower; for inspection.
  bool bf16_linear = false;    // of bert_forward: matrix products of the layers in bfloat16
};

struct BertOutput {
  at::Tensor hidden_TH;                   // float32
  at::Tensor pooled_SH;                   // float32
  std::vector<at::Tensor> hidden_states;  // num_hidden_layers + 1 times float32 [T, H]
  std::vector<at::Tensor> attentions;     // num_hidden_layers times float32 [S, A, L, L], 0 where
                                          // a sequence has no token
};

// Dropout of training; no dropout without a generator (of the CPU).
struct BertDropout {
  std::optional<at::Generator> generator;
};

// The differentiable pass; it computes where the weights lie, results are where the input's ids
// are: gradients flow to every weight that requires one, and no graph is built for the others.
// Throws std::invalid_argument for wrong shapes, DataError for an id, a segment or a position
// outside the tables.
BertOutput bert_forward(const BertConfig& config, const NamedTensors& weights,
                        const BertInput& input, const BertRequest& request = {},
                        const BertDropout& dropout = {});

// How the matrix products of an inference pass are computed. Sums, softmax and norms are float32 in
// all; the results are float32.
enum class BertPrecision {
  float32,
  bfloat16,  // weights and activations; cosine to float32 >= 0.9999
  int8,      // weights per output row, activations per token, at run time; cosine >= 0.999
};

// An encoder ready to run. Copies share their weights. It computes where they lie; results are
// where the input's ids are.
class BertModel {
 public:
  // The weights must fit the config: FileError names the tensor that does not. They may lie in a
  // read-only memory-mapped file. `ways`: how inference computes attention.
  BertModel(BertConfig config, NamedTensors weights,
            BertPrecision precision = BertPrecision::float32, const Ways& ways = {});
  ~BertModel();
  BertModel(const BertModel&);
  BertModel& operator=(const BertModel&);
  BertModel(BertModel&&) noexcept;
  BertModel& operator=(BertModel&&) noexcept;

  const BertConfig& config() const;
  const NamedTensors& weights() const;
  BertPrecision precision() const;
  const at::Tensor& word_embeddings() const;  // float32 [vocab_size, H]
  at::Device device() const;                  // the weights'

  // Inference without a graph when gradients are off or no weight requires one, bert_forward
  // otherwise. Packed weights are made at the first inference, and again after the weights were
  // changed in place.
  BertOutput forward(const BertInput& input, const BertRequest& request = {}) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sequela
