#include "python/encoded_batch.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <stdexcept>
#include <utility>

#include "sequela/core/error.h"

namespace sequela::python {
namespace {

// Of each row the first sequence that lies in it: sequences [R] and their rows [R].
std::pair<at::Tensor, at::Tensor> first_sequences(const at::Tensor& row_S) {
  const at::Tensor is_first = at::ones_like(row_S, at::kBool);
  is_first.slice(0, 1).copy_(row_S.slice(0, 1).ne(row_S.slice(0, 0, -1)));
  const at::Tensor first_R = is_first.nonzero().squeeze(1);
  return {first_R, row_S.index_select(0, first_R)};
}

// [S, ...] to [num_rows, ...]; rows that are not in row_S are 0.
at::Tensor to_rows(const at::Tensor& values, const at::Tensor& row_S, int64_t num_rows) {
  std::vector<int64_t> shape = values.sizes().vec();
  shape[0] = num_rows;
  return at::zeros(shape, values.options()).index_copy(0, row_S, values);
}

}  // namespace

EncodedBatch::EncodedBatch(const BertModel& model, const PaddedBertBatch& batch,
                           const BertRequest& request, bool is_training)
    : is_cehr_bert_(model.config().kind == BertKind::cehr_bert),
      home_(batch.ids_BL.device()),
      packed_(pack_bert_batch(to_device(batch, model.device()),
                              is_cehr_bert_ ? MaskHoles::separate : MaskHoles::skipped)) {
  num_rows_ = batch.ids_BL.size(0);
  num_columns_ = batch.ids_BL.size(1);
  if (is_training) dropout_.generator = at::detail::getDefaultCPUGenerator();
  output_ = is_training
                ? bert_forward(model.config(), model.weights(), packed_.input, request, dropout_)
                : model.forward(packed_.input, request);
}

bool EncodedBatch::has_packed_samples() const {
  return packed_.row_S.slice(0, 1).eq(packed_.row_S.slice(0, 0, -1)).any().item<bool>();
}

at::Tensor EncodedBatch::pooled_BH() const {
  if (!output_.pooled_SH.defined()) return {};
  const auto [first_R, row_R] = first_sequences(packed_.row_S);
  return home(to_rows(output_.pooled_SH.index_select(0, first_R), row_R, num_rows_));
}

std::vector<at::Tensor> EncodedBatch::attentions() const {
  std::vector<at::Tensor> by_row;
  for (const at::Tensor& attention_SALL : output_.attentions) {
    by_row.push_back(
        home(is_cehr_bert_ ? attention_SALL : to_rows(attention_SALL, packed_.row_S, num_rows_)));
  }
  return by_row;
}

at::Tensor EncodedBatch::to_places(const at::Tensor& values_T) const {
  return home(to_padded(values_T, packed_.places_T, num_rows_, num_columns_));
}

at::Tensor EncodedBatch::from_places(const at::Tensor& values_BL) const {
  if (values_BL.dim() != 2 || values_BL.size(0) != num_rows_ || values_BL.size(1) != num_columns_) {
    throw std::invalid_argument(sequela::str("labels have shape ", values_BL.sizes(), ", the ids [",
                                             num_rows_, ", ", num_columns_, "]"));
  }
  return values_BL.to(packed_.places_T.device()).flatten().index_select(0, packed_.places_T);
}

}  // namespace sequela::python
