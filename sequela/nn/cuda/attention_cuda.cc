#include <ATen/ATen.h>
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>

#include <cmath>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/cuda/tensors.h"

namespace sequela {
namespace {

void rotate(const AttentionInputs& inputs, const at::Tensor& from_THD, const at::Tensor& to_THD,
            float direction) {
  if (!inputs.cos_TR.defined()) {
    at::Tensor(to_THD).copy_(from_THD);
    return;
  }
  cuda_rotate({from_THD.data_ptr(), from_THD.stride(0), to_THD.data_ptr(), to_THD.stride(0),
               floats_of(inputs.cos_TR), floats_of(inputs.sin_TR), from_THD.size(0),
               from_THD.size(1), from_THD.size(2), direction},
              value_of(from_THD), current_stream(from_THD));
}

at::Tensor rotated(const AttentionInputs& inputs, const at::Tensor& x_THD) {
  at::Tensor result = at::empty(x_THD.sizes(), x_THD.options());
  rotate(inputs, x_THD, result, 1);
  return result;
}

void check_precision(const AttentionInputs& inputs) {
  if (inputs.q_THD.scalar_type() == at::kBFloat16) return;
  throw ConfigError("precision", "float32", "bfloat16: attention on a GPU has no other");
}

// Keys that a token sees before and behind itself; -1 = all of its sequence.
struct Reach {
  bool is_causal;
  std::optional<int64_t> before, behind;

  explicit Reach(const AttentionInputs& inputs)
      : is_causal(inputs.direction == AttentionDirection::causal),
        before(is_causal ? inputs.window - 1 : -1),
        behind(is_causal ? 0 : -1) {}
};

double scale_of(const AttentionInputs& inputs) {
  return 1 / std::sqrt(static_cast<double>(inputs.q_THD.size(2)));
}

}  // namespace

void attention_forward_cuda(const AttentionInputs& inputs, const at::Tensor& out_THD,
                            const at::Tensor& logsumexp_HT) {
  check_precision(inputs);
  const PackedSequences& sequences = *inputs.sequences;
  const Reach reach(inputs);
  const auto result = at::_flash_attention_forward(
      rotated(inputs, inputs.q_THD), rotated(inputs, inputs.k_THD), inputs.v_THD,
      sequences.offsets_S1, sequences.offsets_S1, sequences.max_length, sequences.max_length, 0.0,
      reach.is_causal, false, scale_of(inputs), reach.before, reach.behind);
  at::Tensor(out_THD).copy_(std::get<0>(result));
  at::Tensor(logsumexp_HT).copy_(std::get<1>(result));
}

void attention_backward_cuda(const AttentionInputs& inputs, const at::Tensor& out_THD,
                             const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                             const AttentionGradients& gradients) {
  check_precision(inputs);
  const PackedSequences& sequences = *inputs.sequences;
  const Reach reach(inputs);
  const at::Tensor no_dropout = at::zeros({2}, inputs.q_THD.options().dtype(at::kLong));
  const auto [grad_q, grad_k, grad_v] = at::_flash_attention_backward(
      grad_out_THD.contiguous(), rotated(inputs, inputs.q_THD), rotated(inputs, inputs.k_THD),
      inputs.v_THD, out_THD.contiguous(), logsumexp_HT, sequences.offsets_S1, sequences.offsets_S1,
      sequences.max_length, sequences.max_length, 0.0, reach.is_causal, no_dropout, no_dropout,
      scale_of(inputs), reach.before, reach.behind);
  rotate(inputs, grad_q, gradients.q_THD, -1);
  rotate(inputs, grad_k, gradients.k_THD, -1);
  at::Tensor(gradients.v_THD).copy_(grad_v);
}

}  // namespace sequela
