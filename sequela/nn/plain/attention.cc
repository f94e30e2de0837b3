#include <cmath>
#include <vector>

#include "sequela/nn/plain/chunks.h"
#include "sequela/nn/plain/plain.h"

namespace sequela {
namespace {

// Queries [begin, end) and the keys that some of them reach.
struct Reach {
  int64_t begin, end, first_key, last_key;  // last_key: one beyond

  Reach(const AttentionInputs& inputs, int64_t first, int64_t count)
      : begin(first), end(first + count), first_key(begin), last_key(end) {
    const PackedSequences& sequences = *inputs.sequences;
    const int64_t start = sequences.token_starts[begin];
    if (inputs.direction == AttentionDirection::causal) {
      first_key = std::max(start, begin - inputs.window + 1);
      return;
    }
    const std::vector<int32_t>& offsets = sequences.host_offsets;
    first_key = start;
    last_key = *std::lower_bound(offsets.begin(), offsets.end(), static_cast<int32_t>(end));
  }

  at::Tensor queries(const at::Tensor& x) const { return rows_of(x, begin, end - begin); }
  at::Tensor keys(const at::Tensor& x) const { return rows_of(x, first_key, last_key - first_key); }
};

at::Tensor rotated(const at::Tensor& x_THD, const at::Tensor& cos_TR, const at::Tensor& sin_TR) {
  if (!cos_TR.defined()) return x_THD;
  const at::Tensor pairs = x_THD.unflatten(2, {x_THD.size(2) / 2, 2});
  const at::Tensor first = pairs.select(3, 0), second = pairs.select(3, 1);
  const at::Tensor cosines = cos_TR.unsqueeze(1), sines = sin_TR.unsqueeze(1);
  return at::stack({first * cosines - second * sines, second * cosines + first * sines}, 3)
      .flatten(2);
}

// True where a query [Q, 1] may not see a key [1, K].
at::Tensor hidden(const AttentionInputs& inputs, const Reach& reach) {
  const at::Tensor& starts_T = inputs.sequences->token_starts_T;
  const at::Tensor is_other =
      reach.queries(starts_T).unsqueeze(1) != reach.keys(starts_T).unsqueeze(0);
  if (inputs.direction == AttentionDirection::bidirectional) return is_other;
  const at::TensorOptions options = starts_T.options();
  const at::Tensor behind = at::arange(reach.begin, reach.end, options).unsqueeze(1) -
                            at::arange(reach.first_key, reach.last_key, options).unsqueeze(0);
  return is_other | (behind < 0) | (behind >= inputs.window);
}

at::Tensor scores(const AttentionInputs& inputs, const Reach& reach, const at::Tensor& q_QHD,
                  const at::Tensor& k_KHD) {
  const double scale = 1 / std::sqrt(static_cast<double>(q_QHD.size(2)));
  const at::Tensor q =
      rotated(q_QHD, reach.queries(inputs.cos_TR), reach.queries(inputs.sin_TR)) * scale;
  const at::Tensor k = rotated(k_KHD, reach.keys(inputs.cos_TR), reach.keys(inputs.sin_TR));
  return at::matmul(q.transpose(0, 1), k.permute({1, 2, 0}))
      .masked_fill(hidden(inputs, reach), -INFINITY);
}

// [Q, H, D].
at::Tensor attended(const at::Tensor& scores_HQK, const at::Tensor& v_KHD) {
  return at::matmul(at::softmax(scores_HQK, 2), v_KHD.transpose(0, 1)).transpose(0, 1);
}

}  // namespace

void plain_attention_forward(const AttentionInputs& inputs, const at::Tensor& out_THD,
                             const at::Tensor& logsumexp_HT) {
  const at::NoGradGuard no_grad;
  for_chunks(inputs.q_THD.size(0), kPlainQueries, [&](int64_t first, int64_t count) {
    const Reach reach(inputs, first, count);
    const at::Tensor scores_HQK = scores(inputs, reach, widened(reach.queries(inputs.q_THD)),
                                         widened(reach.keys(inputs.k_THD)));
    reach.queries(out_THD).copy_(attended(scores_HQK, widened(reach.keys(inputs.v_THD))));
    logsumexp_HT.narrow(1, first, count).copy_(at::logsumexp(scores_HQK, {2}));
  });
}

void plain_attention_backward(const AttentionInputs& inputs, const at::Tensor& /*out_THD*/,
                              const at::Tensor& /*logsumexp_HT*/, const at::Tensor& grad_out_THD,
                              const AttentionGradients& gradients) {
  const at::NoGradGuard no_grad;
  // Chunks of queries share keys: their gradients are summed before they are rounded.
  const at::Tensor grad_k_THD = at::zeros_like(widened(inputs.k_THD)),
                   grad_v_THD = at::zeros_like(grad_k_THD);
  for_chunks(inputs.q_THD.size(0), kPlainQueries, [&](int64_t first, int64_t count) {
    const Reach reach(inputs, first, count);
    const at::Tensor q = recorded(reach.queries(inputs.q_THD)),
                     k = recorded(reach.keys(inputs.k_THD)), v = recorded(reach.keys(inputs.v_THD));
    {
      const at::AutoGradMode with_grad(true);
      attended(scores(inputs, reach, q, k), v).backward(widened(reach.queries(grad_out_THD)));
    }
    reach.queries(gradients.q_THD).copy_(q.grad());
    reach.keys(grad_k_THD).add_(k.grad());
    reach.keys(grad_v_THD).add_(v.grad());
  });
  gradients.k_THD.copy_(grad_k_THD);
  gradients.v_THD.copy_(grad_v_THD);
}

}  // namespace sequela
