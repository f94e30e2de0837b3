#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace sequela {

// Where the packed sequences of a batch lie: sequence s owns tokens [offsets[s], offsets[s + 1]).
//
//   S = sequences, T = tokens
struct PackedSequences {
  at::Tensor offsets_S1;              // int32 [S + 1], on the device of the batch
  at::Tensor token_starts_T;          // int32 [T], first token of each token's sequence, likewise
  std::vector<int32_t> host_offsets;  // offsets_S1 on the host
  std::vector<int32_t> token_starts;  // token_starts_T on the host
  int64_t max_length = 0;

  int64_t num_tokens() const { return static_cast<int64_t>(token_starts.size()); }
  int64_t num_sequences() const { return static_cast<int64_t>(host_offsets.size()) - 1; }
};

// Builds them from the sequences' lengths (int32 or int64 [S]). Throws std::invalid_argument for a
// length below 1.
PackedSequences build_packed_sequences(const at::Tensor& lengths_S, at::Device device);

// The tensors that lie on the device, to be copied there.
std::vector<at::Tensor*> device_tensors(PackedSequences& sequences);

}  // namespace sequela
