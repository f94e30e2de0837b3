#include "sequela/nn/sequences.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

#include "sequela/core/error.h"

namespace sequela {
namespace {

at::Tensor to_device(std::vector<int32_t>& values, at::Device device) {
  const at::Tensor view =
      at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kInt);
  return view.to(device, at::kInt, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

PackedSequences build_packed_sequences(const at::Tensor& lengths_S, at::Device device) {
  if (!lengths_S.defined() || lengths_S.dim() != 1)
    throw std::invalid_argument("lengths_S must have one dimension");
  const at::Tensor lengths = lengths_S.to(at::kCPU, at::kLong).contiguous();
  const int64_t* values = lengths.const_data_ptr<int64_t>();

  PackedSequences sequences;
  sequences.host_offsets.assign(1, 0);
  for (int64_t s = 0; s < lengths.numel(); ++s) {
    if (values[s] < 1) throw std::invalid_argument(str("sequence ", s, " has length ", values[s]));
    const int32_t start = sequences.host_offsets.back();
    sequences.token_starts.insert(sequences.token_starts.end(), values[s], start);
    sequences.host_offsets.push_back(static_cast<int32_t>(start + values[s]));
    sequences.max_length = std::max(sequences.max_length, values[s]);
  }
  sequences.offsets_S1 = to_device(sequences.host_offsets, device);
  sequences.token_starts_T = to_device(sequences.token_starts, device);
  return sequences;
}

std::vector<at::Tensor*> device_tensors(PackedSequences& sequences) {
  return {&sequences.offsets_S1, &sequences.token_starts_T};
}

}  // namespace sequela
