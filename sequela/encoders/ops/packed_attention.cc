#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "sequela/encoders/ops/differentiable_ops.h"
#include "sequela/nn/attention.h"

namespace sequela {
namespace {

// Query, key or value of all heads, [T, A, D], as a view of the projection or of its gradient.
at::Tensor part(const at::Tensor& qkv_T3H, int64_t which, int64_t heads) {
  const int64_t hidden = qkv_T3H.size(1) / 3;
  return qkv_T3H.narrow(1, which * hidden, hidden).unflatten(1, {heads, hidden / heads});
}

AttentionInputs attention_inputs(const at::Tensor& qkv_T3H, const PackedSequences& sequences,
                                 int64_t heads) {
  return {.q_THD = part(qkv_T3H, 0, heads),
          .k_THD = part(qkv_T3H, 1, heads),
          .v_THD = part(qkv_T3H, 2, heads),
          .sequences = &sequences,
          .direction = AttentionDirection::bidirectional};
}

class PackedAttention : public torch::autograd::Function<PackedAttention> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& qkv_T3H,
                            const at::Tensor& lengths_S, int64_t heads) {
    const PackedSequences sequences = build_packed_sequences(lengths_S, qkv_T3H.device());
    const int64_t tokens = qkv_T3H.size(0), hidden = qkv_T3H.size(1) / 3;
    at::Tensor out_TH = at::empty({tokens, hidden}, qkv_T3H.options());
    at::Tensor logsumexp_AT = at::empty({heads, tokens}, qkv_T3H.options().dtype(at::kFloat));
    attention_forward(attention_inputs(qkv_T3H, sequences, heads),
                      out_TH.unflatten(1, {heads, hidden / heads}), logsumexp_AT);
    context->save_for_backward({qkv_T3H, lengths_S, out_TH, logsumexp_AT});
    context->saved_data["heads"] = heads;
    return out_TH;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor &qkv_T3H = saved[0], &out_TH = saved[2];
    const int64_t heads = context->saved_data["heads"].toInt();
    const PackedSequences sequences = build_packed_sequences(saved[1], qkv_T3H.device());
    const auto to_heads = [&](const at::Tensor& x_TH) {
      return x_TH.unflatten(1, {heads, x_TH.size(1) / heads});
    };
    at::Tensor grad_T3H = at::empty_like(qkv_T3H);
    attention_backward(
        attention_inputs(qkv_T3H, sequences, heads), to_heads(out_TH), saved[3],
        to_heads(gradients[0].contiguous()),
        {part(grad_T3H, 0, heads), part(grad_T3H, 1, heads), part(grad_T3H, 2, heads)});
    return {grad_T3H, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor packed_attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences,
                            int64_t num_heads) {
  const at::Tensor lengths_S = at::tensor(sequences.host_offsets, at::kInt).diff();
  return PackedAttention::apply(qkv_T3H, lengths_S, num_heads);
}

}  // namespace sequela
