#include "sequela/encoders/ops/dense_attention.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <vector>

#include "sequela/encoders/ops/dropout_mask.h"

namespace sequela {

DenseAttentionOutput dense_attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences,
                                     const DenseAttention& options) {
  const int64_t heads = options.num_heads, hidden = qkv_T3H.size(1) / 3,
                longest = sequences.max_length;
  const double scale = 1 / std::sqrt(static_cast<double>(hidden / heads));
  DenseAttentionOutput output;
  if (options.keeps_probabilities) {
    output.probabilities_SALL =
        at::zeros({sequences.num_sequences(), heads, longest, longest}, qkv_T3H.options());
  }
  std::vector<at::Tensor> contexts;
  for (int64_t s = 0; s < sequences.num_sequences(); ++s) {
    const int64_t start = sequences.host_offsets[s], length = sequences.host_offsets[s + 1] - start;
    // [3, A, l, D]
    const at::Tensor qkv = qkv_T3H.narrow(0, start, length)
                               .view({length, 3, heads, hidden / heads})
                               .permute({1, 2, 0, 3});
    at::Tensor scores = at::matmul(qkv[0], qkv[1].transpose(1, 2)) * scale;
    if (options.key_mask_T.defined()) {
      const at::Tensor hidden_keys =
          options.key_mask_T.narrow(0, start, length).logical_not().to(scores.device());
      scores = scores.masked_fill(hidden_keys, -std::numeric_limits<float>::infinity());
    }
    at::Tensor probabilities = at::softmax(scores, -1);
    if (options.keeps_probabilities) {
      output.probabilities_SALL[s].narrow(1, 0, length).narrow(2, 0, length).copy_(probabilities);
    }
    if (options.generator && options.dropout > 0) {
      probabilities = dropped(probabilities, options.dropout, options.generator);
    }
    contexts.push_back(at::matmul(probabilities, qkv[2]).transpose(0, 1).reshape({length, hidden}));
  }
  output.context_TH =
      contexts.empty() ? at::zeros({0, hidden}, qkv_T3H.options()) : at::cat(contexts, 0);
  return output;
}

}  // namespace sequela
