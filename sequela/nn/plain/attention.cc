#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sequela/nn/plain/plain.h"

namespace sequela {
namespace {

at::Tensor rotated(const at::Tensor& x_THD, const AttentionInputs& inputs) {
  if (!inputs.cos_TR.defined()) return x_THD;
  const at::Tensor pairs = x_THD.unflatten(2, {x_THD.size(2) / 2, 2});
  const at::Tensor first = pairs.select(3, 0), second = pairs.select(3, 1);
  const at::Tensor cosines = inputs.cos_TR.unsqueeze(1), sines = inputs.sin_TR.unsqueeze(1);
  return at::stack({first * cosines - second * sines, second * cosines + first * sines}, 3)
      .flatten(2);
}

// The keys that some query of [begin, end) reaches.
struct Keys {
  int64_t begin, end;
};

Keys keys_of(const AttentionInputs& inputs, int64_t begin, int64_t end) {
  const PackedSequences& sequences = *inputs.sequences;
  const int64_t start = sequences.token_starts[begin];
  if (inputs.direction == AttentionDirection::causal)
    return {std::max(start, begin - inputs.window + 1), end};
  const std::vector<int32_t>& offsets = sequences.host_offsets;
  return {start, *std::lower_bound(offsets.begin(), offsets.end(), static_cast<int32_t>(end))};
}

// True where a query [Q, 1] may not see a key [1, K].
at::Tensor hidden(const AttentionInputs& inputs, int64_t begin, int64_t end, const Keys& keys) {
  const at::Tensor& starts_T = inputs.sequences->token_starts_T;
  const at::Tensor is_other = starts_T.slice(0, begin, end).unsqueeze(1) !=
                              starts_T.slice(0, keys.begin, keys.end).unsqueeze(0);
  if (inputs.direction == AttentionDirection::bidirectional) return is_other;
  const at::TensorOptions options = starts_T.options();
  const at::Tensor behind = at::arange(begin, end, options).unsqueeze(1) -
                            at::arange(keys.begin, keys.end, options).unsqueeze(0);
  return is_other | (behind < 0) | (behind >= inputs.window);
}

}  // namespace

at::Tensor plain_attention(const AttentionInputs& inputs) {
  const int64_t tokens = inputs.q_THD.size(0);
  if (tokens == 0) return inputs.q_THD;
  const double scale = 1 / std::sqrt(static_cast<double>(inputs.q_THD.size(2)));
  const at::Tensor q_HTD = (rotated(inputs.q_THD, inputs) * scale).transpose(0, 1),
                   k_HDT = rotated(inputs.k_THD, inputs).permute({1, 2, 0}),
                   v_HTD = inputs.v_THD.transpose(0, 1);
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < tokens; begin += kPlainQueries) {
    const int64_t end = std::min(tokens, begin + kPlainQueries);
    const Keys keys = keys_of(inputs, begin, end);
    const at::Tensor scores_HQK =
        at::matmul(q_HTD.slice(1, begin, end), k_HDT.slice(2, keys.begin, keys.end))
            .masked_fill(hidden(inputs, begin, end, keys), -INFINITY);
    parts.push_back(at::matmul(at::softmax(scores_HQK, 2), v_HTD.slice(1, keys.begin, keys.end)));
  }
  return at::cat(parts, 1).transpose(0, 1);
}

}  // namespace sequela
