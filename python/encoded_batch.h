#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "sequela/encoders/bert/bert_input.h"
#include "sequela/encoders/bert/bert_model.h"

namespace sequela::python {

// A padded batch that an encoder has run over: packed, as the heads take it, and padded again, as
// Python gets it. Rows and places of padding are 0 in all that is padded. It computes where the
// model's weights lie; what is padded again, and `home`, lie where the batch's ids do.
//
//   B = rows, L = columns, H = hidden size, S = sequences, T = tokens
class EncodedBatch {
 public:
  // Dropout, from torch's own generator, if it is training.
  EncodedBatch(const BertModel& model, const PaddedBertBatch& batch, const BertRequest& request,
               bool is_training);

  const BertInput& input() const { return packed_.input; }
  const BertOutput& output() const { return output_; }
  const BertDropout& dropout() const { return dropout_; }
  int64_t num_places() const { return num_rows_ * num_columns_; }
  bool has_packed_samples() const;  // several sequences in a row

  at::Tensor home(const at::Tensor& x) const { return x.defined() ? x.to(home_) : x; }
  at::Tensor hidden_BLH() const { return to_places(output_.hidden_TH); }
  at::Tensor pooled_BH() const;  // of a row's first sequence; undefined if not asked for
  std::vector<at::Tensor> attentions() const;  // by row, or by sequence for CEHR-BERT

  at::Tensor to_places(const at::Tensor& values_T) const;     // [T, ...] to [B, L, ...]
  at::Tensor from_places(const at::Tensor& values_BL) const;  // [B, L] to [T]

 private:
  bool is_cehr_bert_;
  at::Device home_;
  int64_t num_rows_, num_columns_;
  PackedBertBatch packed_;
  BertDropout dropout_;
  BertOutput output_;
};

}  // namespace sequela::python
