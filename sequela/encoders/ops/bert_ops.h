#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/nn/sequences.h"

namespace sequela {

// The residual stream of a BERT encoder between two parts of a layer.
struct BertStream {
  at::Tensor residual_TH;  // float32
  at::Tensor x_TH;         // the same in the type that matrix products take; may be residual_TH
};

// The parts that a BERT encoder is made of, in one way of computing them: with a graph
// (differentiable_ops.h) or fast (inference_ops.h). `name` is the weights' name without ".weight"
// and ".bias".
//
//   T = tokens, I = inputs, O = outputs, H = hidden size
class BertOps {
 public:
  virtual ~BertOps() = default;

  // activation(x @ weight^T + bias); without activation if none is given.
  virtual at::Tensor linear(const at::Tensor& x_TI, const std::string& name,
                            std::optional<BertActivation> activation) = 0;

  // Query, key and value of "<name>.query", ".key", ".value", side by side: [T, 3H].
  virtual at::Tensor project_qkv(const at::Tensor& x_TH, const std::string& name) = 0;

  // Each token attends to all tokens of its sequence: [T, 3H] -> [T, H].
  virtual at::Tensor attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences) = 0;

  // LayerNorm(residual + branch); the result may lie on the residual's memory.
  virtual BertStream add_norm(const BertStream& stream, const at::Tensor& branch_TH,
                              const std::string& name) = 0;

  // The first stream, from the embeddings (before BERT's LayerNorm `name`; empty: none).
  virtual BertStream start(const at::Tensor& embeddings_TH, const std::string& name) = 0;
};

}  // namespace sequela
