#include "sequela/encoders/ops/dropout_attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "sequela/core/random.h"
#include "sequela/encoders/ops/dropout_mask.h"

namespace sequela {
namespace {

// One sequence after the other; l = its length, D = head size, A = heads.
class SequenceAttention {
 public:
  SequenceAttention(const at::Tensor& qkv_T3H, const PackedSequences& sequences, int64_t heads,
                    double dropout, uint64_t seed)
      : qkv_T3H_(qkv_T3H),
        sequences_(sequences),
        heads_(heads),
        size_(qkv_T3H.size(1) / 3 / heads),
        dropout_(dropout),
        seed_(seed) {
    const int64_t places = heads * sequences.max_length * sequences.max_length;
    for (at::Tensor* buffer : {&scores_, &probabilities_, &kept_})
      *buffer = at::empty({places}, qkv_T3H.options());
  }

  void load(int64_t s) {
    start_ = sequences_.host_offsets[s];
    length_ = sequences_.host_offsets[s + 1] - start_;
    const at::Tensor qkv = heads_of(qkv_T3H_, 3);
    q_AlD = qkv[0] / std::sqrt(static_cast<double>(size_));
    k_AlD = qkv[1];
    v_AlD = qkv[2];
    at::Tensor scores = square(scores_), probabilities = square(probabilities_);
    at::bmm_out(scores, q_AlD, k_AlD.transpose(1, 2));
    at::_softmax_out(probabilities, scores, -1, /*half_to_float=*/false);
    probabilities_All = probabilities;
    kept_All = square(kept_);
    fill_dropout_mask(kept_All, dropout_, hash_key(seed_, static_cast<uint64_t>(s)));
  }

  // Columns of all heads as [A, l, D], or, of `parts` in a row, [parts, A, l, D]: a view.
  at::Tensor heads_of(const at::Tensor& x, int64_t parts) const {
    const at::Tensor rows = x.narrow(0, start_, length_);
    return rows.view({length_, parts, heads_, size_}).permute({1, 2, 0, 3});
  }
  at::Tensor square(const at::Tensor& buffer) const {
    return buffer.narrow(0, 0, heads_ * length_ * length_).view({heads_, length_, length_});
  }
  at::Tensor& scores() { return scores_; }

  at::Tensor q_AlD, k_AlD, v_AlD;  // q scaled
  at::Tensor probabilities_All;    // before dropout
  at::Tensor kept_All;             // factors of dropout

 private:
  const at::Tensor& qkv_T3H_;
  const PackedSequences& sequences_;
  const int64_t heads_, size_;
  const double dropout_;
  const uint64_t seed_;
  int64_t start_ = 0, length_ = 0;
  at::Tensor scores_, probabilities_, kept_;  // memory, as large as the longest sequence needs
};

class DropoutAttention : public torch::autograd::Function<DropoutAttention> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& qkv_T3H,
                            const at::Tensor& lengths_S, int64_t heads, double dropout,
                            int64_t seed) {
    const PackedSequences sequences = build_packed_sequences(lengths_S, at::kCPU);
    context->save_for_backward({qkv_T3H, lengths_S});
    context->saved_data["heads"] = heads;
    context->saved_data["dropout"] = dropout;
    context->saved_data["seed"] = seed;
    at::Tensor out_TH = at::empty({qkv_T3H.size(0), qkv_T3H.size(1) / 3}, qkv_T3H.options());
    SequenceAttention attention(qkv_T3H, sequences, heads, dropout, static_cast<uint64_t>(seed));
    for (int64_t s = 0; s < sequences.num_sequences(); ++s) {
      attention.load(s);
      attention.probabilities_All.mul_(attention.kept_All);
      attention.heads_of(out_TH, 1)[0].copy_(at::bmm(attention.probabilities_All, attention.v_AlD));
    }
    return out_TH;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& qkv_T3H = saved[0];
    const PackedSequences sequences = build_packed_sequences(saved[1], at::kCPU);
    const int64_t heads = context->saved_data["heads"].toInt();
    const double dropout = context->saved_data["dropout"].toDouble();
    const auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
    const double scale = 1 / std::sqrt(static_cast<double>(qkv_T3H.size(1) / 3 / heads));
    const at::Tensor grad_TH = gradients[0].contiguous();
    at::Tensor grad_T3H = at::empty_like(qkv_T3H);
    SequenceAttention attention(qkv_T3H, sequences, heads, dropout, seed);
    at::Tensor memory_scores = at::empty_like(attention.scores());
    for (int64_t s = 0; s < sequences.num_sequences(); ++s) {
      attention.load(s);
      const at::Tensor out_grad_AlD = attention.heads_of(grad_TH, 1)[0];
      const at::Tensor grad_3AlD = attention.heads_of(grad_T3H, 3);
      at::Tensor dropped = attention.square(attention.scores());
      at::mul_out(dropped, attention.probabilities_All, attention.kept_All);
      grad_3AlD[2].copy_(at::bmm(dropped.transpose(1, 2), out_grad_AlD));
      at::bmm_out(dropped, out_grad_AlD, attention.v_AlD.transpose(1, 2));
      dropped.mul_(attention.kept_All);
      at::Tensor score_grads = attention.square(memory_scores);
      at::_softmax_backward_data_out(score_grads, dropped, attention.probabilities_All, -1,
                                     at::kFloat);
      grad_3AlD[0].copy_(at::bmm(score_grads, attention.k_AlD).mul_(scale));
      grad_3AlD[1].copy_(at::bmm(score_grads.transpose(1, 2), attention.q_AlD));
    }
    return {grad_T3H, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor dropout_attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences,
                             int64_t num_heads, double dropout, uint64_t seed) {
  const at::Tensor lengths_S = sequences.offsets_S1.diff();
  return DropoutAttention::apply(qkv_T3H, lengths_S, num_heads, dropout,
                                 static_cast<int64_t>(seed));
}

}  // namespace sequela
