#include "sequela/encoders/bert/bert_input.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <vector>

#include "sequela/core/error.h"

namespace sequela {
namespace {

void check_shape(const at::Tensor& tensor, const at::Tensor& ids_BL, const char* name) {
  if (tensor.defined() && tensor.sizes() != ids_BL.sizes()) {
    throw std::invalid_argument(sequela::str("pack_bert_batch: ", name, " has shape ",
                                             tensor.sizes(), ", the ids have ", ids_BL.sizes()));
  }
}

void move_all(std::initializer_list<at::Tensor*> tensors, at::Device device) {
  for (at::Tensor* tensor : tensors) {
    if (tensor->defined()) *tensor = tensor->to(device);
  }
}

// What the walk over the mask finds.
struct Sequences {
  std::vector<int64_t> lengths, rows, places;
};

Sequences find_sequences(const at::Tensor& mask_BL, MaskHoles holes) {
  const at::Tensor mask = mask_BL.ne(0).to(at::kCPU).contiguous();
  const bool* is_token = mask.const_data_ptr<bool>();
  const int64_t rows = mask.size(0), columns = mask.size(1);
  Sequences found;
  found.places.reserve(static_cast<size_t>(mask.numel()));
  for (int64_t row = 0; row < rows; ++row) {
    int64_t length = 0;
    const auto end_sequence = [&] {
      if (length == 0) return;
      found.lengths.push_back(length);
      found.rows.push_back(row);
      length = 0;
    };
    for (int64_t column = 0; column < columns; ++column) {
      if (is_token[row * columns + column]) {
        found.places.push_back(row * columns + column);
        ++length;
      } else if (holes == MaskHoles::separate) {
        end_sequence();
      }
    }
    end_sequence();
  }
  return found;
}

// Visit orders less the row's smallest positive one, at least 0.
at::Tensor to_positions(const at::Tensor& orders_BL) {
  const at::Tensor orders = orders_BL.to(at::kLong);
  const at::Tensor positive =
      at::where(orders.gt(0), orders, std::numeric_limits<int64_t>::max()).amin(1, true);
  // A row without a positive order stays at 0.
  return at::where(orders.gt(0), orders - positive, 0);
}

}  // namespace

BertInput to_device(BertInput input, at::Device device) {
  move_all({&input.ids_T, &input.positions_T, &input.segments_T, &input.ages_T, &input.dates_T,
            &input.values_T, &input.value_mask_T},
           device);
  return input;
}

PaddedBertBatch to_device(PaddedBertBatch batch, at::Device device) {
  move_all({&batch.ids_BL, &batch.mask_BL, &batch.segments_BL, &batch.visit_orders_BL,
            &batch.ages_BL, &batch.dates_BL, &batch.values_BL, &batch.value_mask_BL},
           device);
  return batch;
}

PackedBertBatch pack_bert_batch(const PaddedBertBatch& batch, MaskHoles holes) {
  const at::Tensor& ids = batch.ids_BL;
  if (!ids.defined() || ids.dim() != 2) {
    throw std::invalid_argument("pack_bert_batch: ids must be [rows, columns]");
  }
  check_shape(batch.mask_BL, ids, "mask");
  check_shape(batch.segments_BL, ids, "segments");
  check_shape(batch.visit_orders_BL, ids, "visit orders");
  check_shape(batch.ages_BL, ids, "ages");
  check_shape(batch.dates_BL, ids, "dates");
  check_shape(batch.values_BL, ids, "values");
  check_shape(batch.value_mask_BL, ids, "value mask");

  const Sequences found = find_sequences(
      batch.mask_BL.defined() ? batch.mask_BL : at::ones_like(ids, at::kBool), holes);
  PackedBertBatch packed;
  packed.places_T = at::tensor(found.places, at::kLong).to(ids.device());
  packed.row_S = at::tensor(found.rows, at::kLong).to(ids.device());
  const auto take = [&](const at::Tensor& padded, at::ScalarType type) {
    return padded.defined() ? padded.flatten().index_select(0, packed.places_T).to(type)
                            : at::Tensor();
  };
  BertInput& input = packed.input;
  input.lengths_S = at::tensor(found.lengths, at::kLong);
  input.ids_T = take(ids, at::kLong);
  input.segments_T = take(batch.segments_BL, at::kLong);
  input.ages_T = take(batch.ages_BL, at::kFloat);
  input.dates_T = take(batch.dates_BL, at::kFloat);
  input.values_T = take(batch.values_BL, at::kFloat);
  if (batch.value_mask_BL.defined()) {
    input.value_mask_T = take(batch.value_mask_BL.ne(0), at::kBool);
  }
  if (batch.visit_orders_BL.defined()) {
    input.positions_T = take(to_positions(batch.visit_orders_BL), at::kLong);
  } else if (holes == MaskHoles::skipped) {
    input.positions_T = packed.places_T.remainder(ids.size(1));
  }
  return packed;
}

at::Tensor to_padded(const at::Tensor& packed, const at::Tensor& places_T, int64_t num_rows,
                     int64_t num_columns, double fill) {
  std::vector<int64_t> shape = packed.sizes().vec();
  shape[0] = num_rows * num_columns;
  at::Tensor padded = at::full(shape, fill, packed.options()).index_copy(0, places_T, packed);
  shape[0] = num_columns;
  shape.insert(shape.begin(), num_rows);
  return padded.view(shape);
}

}  // namespace sequela
