#include <algorithm>

#include "sequela/tokenizer/sequence/cehr_batch.h"

namespace sequela {
namespace {

PaddedCehrBatch make_matrix(int64_t num_rows, int64_t length, bool has_labels) {
  const auto size = static_cast<size_t>(num_rows * length);
  PaddedCehrBatch out;
  out.num_rows = num_rows;
  out.length = length;
  for (auto* column : {&out.ids, &out.ages, &out.weeks, &out.visit_orders, &out.segments}) {
    column->assign(size, 0);
  }
  for (auto* column : {&out.attention_mask, &out.values, &out.value_masks}) column->assign(size, 0);
  if (has_labels) out.labels.assign(size, -100);
  return out;
}

// Writes sequence `row` of the batch from place `at` on.
void copy_row(const CehrBatch& batch, int64_t row, int64_t at, PaddedCehrBatch* out) {
  const int64_t first = batch.offsets[row];
  const int64_t last = batch.offsets[row + 1];
  const auto copy = [&](const auto& from, auto* to) {
    std::copy(from.begin() + first, from.begin() + last, to->begin() + at);
  };
  copy(batch.ids, &out->ids);
  copy(batch.ages, &out->ages);
  copy(batch.weeks, &out->weeks);
  copy(batch.visit_orders, &out->visit_orders);
  copy(batch.segments, &out->segments);
  copy(batch.values, &out->values);
  copy(batch.value_masks, &out->value_masks);
  if (!batch.labels.empty()) copy(batch.labels, &out->labels);
  std::fill_n(out->attention_mask.begin() + at, last - first, 1.0f);
}

}  // namespace

PaddedCehrBatch to_padded(const CehrBatch& batch, int32_t pad_id, int64_t max_length,
                          int64_t length) {
  length = std::max(length, batch.max_length());
  PaddedCehrBatch out = make_matrix(batch.num_sequences(), length, !batch.labels.empty());
  std::fill(out.ids.begin(), out.ids.end(), pad_id);
  std::fill(out.visit_orders.begin(), out.visit_orders.end(), max_length - 1);
  for (int64_t row = 0; row < out.num_rows; ++row) copy_row(batch, row, row * length, &out);
  return out;
}

PaddedCehrBatch to_packed_row(const CehrBatch& batch, int32_t pad_id) {
  const int64_t length = batch.offsets.back() + batch.num_sequences();
  PaddedCehrBatch out = make_matrix(1, length, !batch.labels.empty());
  int64_t at = 0;
  for (int64_t row = 0; row < batch.num_sequences(); ++row) {
    copy_row(batch, row, at, &out);
    at += batch.length(row);
    out.ids[at] = pad_id;
    out.visit_orders[at] = out.visit_orders[at - 1];
    out.values[at] = -1;
    ++at;
  }
  return out;
}

}  // namespace sequela
