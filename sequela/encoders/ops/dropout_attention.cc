#include "sequela/encoders/ops/dropout_attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/encoders/ops/dropout_mask.h"
#include "sequela/nn/dealt_loop.h"
#include "sequela/nn/gemm.h"

namespace sequela {
namespace {

// Probabilities that go through the operations together, of whole heads: a call costs some
// microseconds, and 1 MB of them stays in a core's cache.
constexpr int64_t kPlacesTogether = 1 << 18;
constexpr int64_t kPlacesTogetherOnDevice = 1 << 24;  // 64 MB: a launch costs as much

struct Call {
  const at::Tensor& qkv_T3H;
  const PackedSequences& sequences;
  int64_t heads;
  double dropout;
  uint64_t seed;

  int64_t head_size() const { return qkv_T3H.size(1) / 3 / heads; }
  double scale() const { return 1 / std::sqrt(static_cast<double>(head_size())); }
};

at::Tensor batch_product(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor out = at::empty({a.size(0), a.size(1), b.size(2)}, a.options());
  multiply_batches(a, b, out);
  return out;
}

int64_t places_together(const Call& call) {
  return call.qkv_T3H.is_cpu() ? kPlacesTogether : kPlacesTogetherOnDevice;
}

int64_t heads_together(const Call& call, int64_t length) {
  return std::clamp<int64_t>(places_together(call) / (length * length), 1, call.heads);
}

struct Piece {
  int64_t sequence, first_head, num_heads;
};

// Some heads of one sequence; A = how many, l = its length, D = head size. Holds memory for the
// longest sequence.
class SomeHeads {
 public:
  explicit SomeHeads(const Call& call) : call_(call) {
    const int64_t of_head = call.sequences.max_length * call.sequences.max_length;
    const int64_t places = std::min(call.heads * of_head, std::max(places_together(call), of_head));
    for (at::Tensor* buffer : {&scores_, &score_grads_, &probabilities_, &kept_})
      *buffer = at::empty({places}, call.qkv_T3H.options());
  }

  void load(const Piece& piece) {
    start_ = call_.sequences.host_offsets[piece.sequence];
    length_ = call_.sequences.host_offsets[piece.sequence + 1] - start_;
    first_ = piece.first_head;
    count_ = piece.num_heads;
    const at::Tensor qkv = part_of(call_.qkv_T3H, 3);
    q_AlD = qkv[0] * call_.scale();
    k_AlD = qkv[1];
    v_AlD = qkv[2];
    probabilities_All = square(probabilities_);
    kept_All = square(kept_);
    at::Tensor scores = scores_All();
    multiply_batches(q_AlD, k_AlD.transpose(1, 2), scores);
    at::_softmax_out(probabilities_All, scores, -1, /*half_to_float=*/false);
    const uint64_t key = hash_key(call_.seed, static_cast<uint64_t>(piece.sequence));
    for (int64_t h = 0; h < count_; ++h)
      fill_dropout_mask(kept_All[h], call_.dropout,
                        hash_key(key, static_cast<uint64_t>(first_ + h)));
  }

  // These heads' columns as [A, l, D], or, of `parts` in a row, [parts, A, l, D]: a view.
  at::Tensor part_of(const at::Tensor& x, int64_t parts) const {
    const at::Tensor rows = x.narrow(0, start_, length_);
    return rows.view({length_, parts, call_.heads, call_.head_size()})
        .narrow(2, first_, count_)
        .permute({1, 2, 0, 3});
  }
  at::Tensor scores_All() const { return square(scores_); }
  at::Tensor score_grads_All() const { return square(score_grads_); }

  at::Tensor q_AlD, k_AlD, v_AlD;  // q scaled
  at::Tensor probabilities_All;    // before dropout
  at::Tensor kept_All;             // factors of dropout

 private:
  at::Tensor square(const at::Tensor& buffer) const {
    return buffer.narrow(0, 0, count_ * length_ * length_).view({count_, length_, length_});
  }

  const Call& call_;
  int64_t start_ = 0, length_ = 0, first_ = 0, count_ = 0;
  at::Tensor scores_, score_grads_, probabilities_, kept_;
};

std::vector<Piece> pieces_of(const Call& call) {
  std::vector<Piece> pieces;
  const std::vector<int32_t>& offsets = call.sequences.host_offsets;
  for (int64_t s = 0; s < call.sequences.num_sequences(); ++s) {
    const int64_t step = heads_together(call, offsets[s + 1] - offsets[s]);
    for (int64_t h = 0; h < call.heads; h += step)
      pieces.push_back({s, h, std::min(step, call.heads - h)});
  }
  return pieces;
}

// Calls work(heads) for all heads of all sequences: on the CPU on all threads.
template <class Work>
void for_some_heads(const Call& call, Work work) {
  const std::vector<Piece> pieces = pieces_of(call);
  if (!call.qkv_T3H.is_cpu()) {
    const at::NoGradGuard no_grad;
    SomeHeads heads(call);
    for (const Piece& piece : pieces) {
      heads.load(piece);
      work(heads);
    }
    return;
  }
  std::vector<std::optional<SomeHeads>> of_thread(at::get_num_threads());
  dealt_loop(static_cast<int64_t>(pieces.size()), [&](int64_t i, int thread) {
    if (!of_thread[thread]) of_thread[thread].emplace(call);
    of_thread[thread]->load(pieces[i]);
    work(*of_thread[thread]);
  });
}

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
    const Call call{qkv_T3H, sequences, heads, dropout, static_cast<uint64_t>(seed)};
    for_some_heads(call, [&](SomeHeads& part) {
      part.probabilities_All.mul_(part.kept_All);
      part.part_of(out_TH, 1)[0].copy_(batch_product(part.probabilities_All, part.v_AlD));
    });
    return out_TH;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& qkv_T3H = saved[0];
    const PackedSequences sequences = build_packed_sequences(saved[1], at::kCPU);
    const Call call{qkv_T3H, sequences, context->saved_data["heads"].toInt(),
                    context->saved_data["dropout"].toDouble(),
                    static_cast<uint64_t>(context->saved_data["seed"].toInt())};
    const at::Tensor grad_TH = gradients[0].contiguous();
    at::Tensor grad_T3H = at::empty_like(qkv_T3H);
    for_some_heads(call, [&](SomeHeads& part) {
      const at::Tensor out_grad_AlD = part.part_of(grad_TH, 1)[0];
      const at::Tensor grad_3AlD = part.part_of(grad_T3H, 3);
      at::Tensor dropped = part.scores_All(), score_grads = part.score_grads_All();
      at::mul_out(dropped, part.probabilities_All, part.kept_All);
      grad_3AlD[2].copy_(batch_product(dropped.transpose(1, 2), out_grad_AlD));
      multiply_batches(out_grad_AlD, part.v_AlD.transpose(1, 2), dropped);
      dropped.mul_(part.kept_All);
      at::_softmax_backward_data_out(score_grads, dropped, part.probabilities_All, -1, at::kFloat);
      grad_3AlD[0].copy_(batch_product(score_grads, part.k_AlD).mul_(call.scale()));
      grad_3AlD[1].copy_(batch_product(score_grads.transpose(1, 2), part.q_AlD));
    });
    return {grad_T3H, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor dropout_attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences,
                             int64_t num_heads, double dropout, uint64_t seed) {
  const at::Tensor lengths_S = at::tensor(sequences.host_offsets, at::kInt).diff();
  return DropoutAttention::apply(qkv_T3H, lengths_S, num_heads, dropout,
                                 static_cast<int64_t>(seed));
}

}  // namespace sequela
