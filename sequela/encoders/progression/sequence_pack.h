#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace sequela {

// Rows of sequences laid out step by step, longest sequence first: step t holds token t of the
// step_sizes[t] sequences that have one. Row r of step t follows row r of step t - 1.
//
//   R = rows that may hold a sequence, S = sequences that do (none is empty), T = tokens
struct SequencePack {
  std::vector<int64_t> step_sizes;  // descending, sums to T
  at::Tensor source_T;              // int64, where each token stands among the padded [R * C]
  at::Tensor reverse_T;  // int64, the place of the same sequence's token counted from its end
  at::Tensor rows_S;     // int64, the row of each sequence
  at::Tensor last_S;     // int64, the packed place of each sequence's last token

  int64_t num_tokens() const { return source_T.size(0); }
  int64_t num_sequences() const { return rows_S.size(0); }
};

// Packs the unmasked tokens of each row, in blocks of whole sequences with at most `block_tokens`
// tokens (or one sequence); 0: one block. Longer sequences come first. No block if all is masked.
//   mask_RC  bool, on any device; the index tensors are made on that device
std::vector<SequencePack> pack_sequences(const at::Tensor& mask_RC, int64_t block_tokens = 0);

}  // namespace sequela
