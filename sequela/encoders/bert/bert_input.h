#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sequela {

// Token sequences for a BERT-family encoder, packed end to end: no padding is stored or computed.
//
//   S = sequences, T = tokens of all of them, B = rows of a padded batch, L = its columns
//
// Lengths are on the CPU, all others on one device.
struct BertInput {
  at::Tensor ids_T;        // int64
  at::Tensor lengths_S;    // int64, >= 1
  at::Tensor positions_T;  // int64, rows of the position table; undefined: 0, 1, 2, ... in each
                           // sequence (CEHR-BERT: 0 everywhere, one visit)
  at::Tensor segments_T;   // int64, token types or visit segments; undefined: 0 (CEHR-BERT: 1)

  // CEHR-BERT only; undefined: 0 for ages and dates, no values.
  at::Tensor ages_T;        // float32, years
  at::Tensor dates_T;       // float32, weeks since 1970
  at::Tensor values_T;      // float32, normalised
  at::Tensor value_mask_T;  // bool

  int64_t num_tokens() const { return ids_T.size(0); }
  int64_t num_sequences() const { return lengths_S.size(0); }
};

// The same there; lengths stay on the CPU, where the packing is computed.
BertInput to_device(BertInput input, at::Device device);

// The same as users and collators hold it: rows of equal length. Undefined fields as above.
// Whole numbers may be of any integer or float type, masks of any.
struct PaddedBertBatch {
  at::Tensor ids_BL;
  at::Tensor mask_BL;          // 1 = a token; undefined: all are
  at::Tensor segments_BL;      // token types, visit_segments
  at::Tensor visit_orders_BL;  // CEHR-BERT: visit_concept_orders, which give the positions
  at::Tensor ages_BL;
  at::Tensor dates_BL;
  at::Tensor values_BL;
  at::Tensor value_mask_BL;
};

PaddedBertBatch to_device(PaddedBertBatch batch, at::Device device);

// What a zero of the mask between two tokens of a row means.
enum class MaskHoles {
  skipped,   // a hole: one sequence goes on after it, positions count the hole (BERT)
  separate,  // the next packed sample begins (CEHR-BERT)
};

struct PackedBertBatch {
  BertInput input;
  at::Tensor row_S;     // int64, the row each sequence lies in
  at::Tensor places_T;  // int64, places of the tokens in the flattened [B, L]
};

// Takes the padding out, on the device where the ids are. Rows without a token give no sequence.
// Positions: the column (BERT), or visit order less the row's smallest positive one, at least 0
// (CEHR-BERT, `orders_BL` given). Throws std::invalid_argument if shapes differ.
PackedBertBatch pack_bert_batch(const PaddedBertBatch& batch, MaskHoles holes);

// [T, ...] back to [B, L, ...], `fill` where there is no token.
at::Tensor to_padded(const at::Tensor& packed, const at::Tensor& places_T, int64_t num_rows,
                     int64_t num_columns, double fill = 0);

}  // namespace sequela
