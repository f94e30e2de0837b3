#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "sequela/model/motor.h"
#include "sequela/model/workspace.h"

namespace sequela {

// The CLMBR head: a linear layer from hidden states to codes, and its cross entropy in nats. Logits
// are made for 1,024 labels at a time, so that memory does not grow with the batch. They are of the
// products' type, softmax and sums of float32.
//
//   T = tokens, H = hidden size, L = labels, V = codes
//
// Source: femr 0.2.4, CLMBRTaskHead.
class NextCodeHead {
 public:
  // Refers to the model, whose task_model.final_layer it is.
  explicit NextCodeHead(Motor& model);

  // The labels of a batch, on the model's device.
  struct Labels {
    at::Tensor tokens_L;  // int64, of which token each is
    at::Tensor codes_L;   // int64, below V
  };

  // Mean cross entropy, a float32 scalar; 0 without labels. With `scale`, also adds scale * its
  // gradients to the head's parameters and writes that of hidden_TH to grad_hidden_TH.
  at::Tensor loss(const at::Tensor& hidden_TH, const Labels& labels, std::optional<double> scale,
                  const at::Tensor& grad_hidden_TH);

  // The loss, with how many labels are among the codes of the highest logits (equal logits count in
  // the label's favour).
  struct Evaluation {
    at::Tensor loss;
    double cost = 0;  // summed
    int64_t num_first = 0;
    int64_t num_in_ten = 0;
  };
  Evaluation evaluate(const at::Tensor& hidden_TH, const Labels& labels);

 private:
  struct Rows;
  Rows rows(const at::Tensor& hidden_TH, const Labels& labels, int64_t first);
  void add_gradients(const Rows& rows, double scale, const at::Tensor& grad_hidden_TH);

  Motor& model_;
  Buffer states_, products_, logits_, log_shares_, gradient_, grad_states_, scratch_, column_sums_;
};

}  // namespace sequela
