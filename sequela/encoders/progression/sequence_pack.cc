#include "sequela/encoders/progression/sequence_pack.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <stdexcept>

namespace sequela {
namespace {

// The unmasked columns of every row, row after row.
struct TokenLists {
  std::vector<int64_t> offsets = {0};
  std::vector<int64_t> places;  // in [R * C]

  int64_t length(int64_t row) const { return offsets[row + 1] - offsets[row]; }
};

TokenLists list_tokens(const at::Tensor& mask_RC) {
  const at::Tensor mask = mask_RC.to(at::kCPU, at::kBool).contiguous();
  const int64_t num_rows = mask.size(0), num_columns = mask.size(1);
  const bool* values = mask.const_data_ptr<bool>();
  TokenLists lists;
  lists.offsets.reserve(num_rows + 1);
  for (int64_t row = 0; row < num_rows; ++row) {
    for (int64_t column = 0; column < num_columns; ++column) {
      const int64_t place = row * num_columns + column;
      if (values[place]) lists.places.push_back(place);
    }
    lists.offsets.push_back(static_cast<int64_t>(lists.places.size()));
  }
  return lists;
}

at::Tensor to_tensor(const std::vector<int64_t>& values, at::Device device) {
  const auto size = static_cast<int64_t>(values.size());
  at::Tensor host = at::empty({size}, at::kLong);
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<int64_t>());
  return host.to(device);
}

// Lays out the given rows, which are sorted by falling length.
SequencePack build_pack(const TokenLists& lists, std::span<const int64_t> rows, at::Device device) {
  SequencePack pack;
  const auto num_rows = static_cast<int64_t>(rows.size());
  const int64_t max_length = lists.length(rows[0]);
  std::vector<int64_t> step_starts, source, reverse, last(num_rows);
  int64_t alive = num_rows;
  for (int64_t step = 0; step < max_length; ++step) {
    while (lists.length(rows[alive - 1]) <= step) --alive;
    step_starts.push_back(static_cast<int64_t>(source.size()));
    pack.step_sizes.push_back(alive);
    for (int64_t i = 0; i < alive; ++i)
      source.push_back(lists.places[lists.offsets[rows[i]] + step]);
  }
  reverse.resize(source.size());
  for (int64_t i = 0; i < num_rows; ++i) {
    const int64_t length = lists.length(rows[i]);
    last[i] = step_starts[length - 1] + i;
    for (int64_t step = 0; step < length; ++step) {
      reverse[step_starts[step] + i] = step_starts[length - 1 - step] + i;
    }
  }
  pack.source_T = to_tensor(source, device);
  pack.reverse_T = to_tensor(reverse, device);
  pack.rows_S = to_tensor({rows.begin(), rows.end()}, device);
  pack.last_S = to_tensor(last, device);
  return pack;
}

}  // namespace

std::vector<SequencePack> pack_sequences(const at::Tensor& mask_RC, int64_t block_tokens) {
  if (mask_RC.dim() != 2) throw std::invalid_argument("pack_sequences: the mask must be [R, C]");
  const TokenLists lists = list_tokens(mask_RC);
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < mask_RC.size(0); ++row) {
    if (lists.length(row) > 0) rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [&](int64_t a, int64_t b) { return lists.length(a) > lists.length(b); });
  std::vector<SequencePack> packs;
  size_t start = 0;
  while (start < rows.size()) {
    size_t end = start;
    int64_t num_tokens = 0;
    do {
      num_tokens += lists.length(rows[end++]);
    } while (end < rows.size() &&
             (block_tokens == 0 || num_tokens + lists.length(rows[end]) <= block_tokens));
    packs.push_back(
        build_pack(lists, std::span(rows).subspan(start, end - start), mask_RC.device()));
    start = end;
  }
  return packs;
}

}  // namespace sequela
