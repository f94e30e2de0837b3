#include "sequela/nn/attention.h"

#include <ATen/ATen.h>

#include <stdexcept>

#include "sequela/nn/isa.h"
#include "sequela/nn/kernels/attention_kernels.h"
#include "sequela/nn/kernels/attention_tiled.h"
#include "sequela/nn/kernels/check.h"
#include "sequela/nn/kernels/cpu_kernels.h"

namespace sequela {
namespace {

void check_view(const char* name, const at::Tensor& x_THD, const at::Tensor& like_THD) {
  check_tensor(name, x_THD, {like_THD.size(0), like_THD.size(1), like_THD.size(2)},
               {like_THD.scalar_type()});
  if (x_THD.size(1) > 1 && x_THD.stride(1) != x_THD.size(2)) {
    throw std::invalid_argument(std::string(name) + " must hold a token's heads side by side");
  }
}

void check_inputs(const AttentionInputs& inputs, const at::Tensor& logsumexp_HT) {
  check_tensor("q_THD", inputs.q_THD, {-1, -1, -1}, kFloating);
  const int64_t tokens = inputs.q_THD.size(0), half = inputs.q_THD.size(2) / 2;
  check_view("q_THD", inputs.q_THD, inputs.q_THD);
  check_view("k_THD", inputs.k_THD, inputs.q_THD);
  check_view("v_THD", inputs.v_THD, inputs.q_THD);
  if (inputs.cos_TR.defined()) {
    check_tensor("cos_TR", inputs.cos_TR, {tokens, half}, {at::kFloat});
    check_tensor("sin_TR", inputs.sin_TR, {tokens, half}, {at::kFloat});
    if (inputs.q_THD.size(2) % 2 != 0) throw std::invalid_argument("the head size must be even");
  }
  check_tensor("logsumexp_HT", logsumexp_HT, {inputs.q_THD.size(1), tokens}, {at::kFloat});
  if (inputs.direction == AttentionDirection::causal && inputs.window < 1)
    throw std::invalid_argument("the window must be at least 1");
  if (inputs.sequences == nullptr || inputs.sequences->num_tokens() != tokens) {
    throw std::invalid_argument("the sequences do not cover the tokens of q_THD");
  }
}

const KernelTable& table_for(const AttentionInputs& inputs, const Ways& ways) {
  return ways.table(Operation::attention, inputs.q_THD, inputs.q_THD.size(2));
}

// The tiles need head sizes of whole vectors.
bool is_tiled(const AttentionInputs& inputs) {
  return kernel_isa() != Isa::portable && inputs.q_THD.size(2) % 16 == 0;
}

// Calls `run` with the tile operations for the tensors' type and the instruction set in use.
// bfloat16 tiles are transposed by pairs, which takes a head size of two vectors.
template <class Run>
void with_tile_ops(const AttentionInputs& inputs, Run run) {
  const AttentionTileTables& tables =
      kernels_in_use(kAttentionTileAvx2, kAttentionTileAvx512, kAttentionTileAvx512Bf16);
  if (inputs.q_THD.scalar_type() == at::kFloat)
    run(tables.fp32);
  else if (kernel_isa() == Isa::avx512_bf16 && inputs.q_THD.size(2) % 32 == 0)
    run(tables.bf16);
  else
    run(tables.bf16_by_fp32);
}

}  // namespace

void fill_rotary_tables(const at::Tensor& ages_days_T, at::Tensor& cos_TR, at::Tensor& sin_TR) {
  check_tensor("ages_days_T", ages_days_T, {-1}, {at::kFloat});
  check_tensor("cos_TR", cos_TR, {ages_days_T.size(0), -1}, {at::kFloat});
  check_tensor("sin_TR", sin_TR, {ages_days_T.size(0), cos_TR.size(1)}, {at::kFloat});
  const at::Tensor exponents = at::linspace(0, 2, cos_TR.size(1), ages_days_T.options());
  const at::Tensor angles_TR = ages_days_T.unsqueeze(1) * at::pow(10000, exponents).reciprocal();
  at::cos_out(cos_TR, angles_TR);
  at::sin_out(sin_TR, angles_TR);
}

void attention_forward(const AttentionInputs& inputs, const at::Tensor& out_THD,
                       const at::Tensor& logsumexp_HT, const Ways& ways) {
  check_inputs(inputs, logsumexp_HT);
  check_view("out_THD", out_THD, inputs.q_THD);
  table_for(inputs, ways).attention_forward(inputs, out_THD, logsumexp_HT);
}

void attention_forward_cpu(const AttentionInputs& inputs, const at::Tensor& out_THD,
                           const at::Tensor& logsumexp_HT) {
  if (!is_tiled(inputs)) return attention_forward_reference(inputs, out_THD, logsumexp_HT);
  with_tile_ops(inputs, [&](const auto& ops) {
    tiled_attention_forward(inputs, ops, out_THD, logsumexp_HT);
  });
}

void attention_backward(const AttentionInputs& inputs, const at::Tensor& out_THD,
                        const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                        const AttentionGradients& gradients, const Ways& ways) {
  check_inputs(inputs, logsumexp_HT);
  check_view("out_THD", out_THD, inputs.q_THD);
  check_view("grad_out_THD", grad_out_THD, inputs.q_THD);
  check_view("gradients.q_THD", gradients.q_THD, inputs.q_THD);
  check_view("gradients.k_THD", gradients.k_THD, inputs.q_THD);
  check_view("gradients.v_THD", gradients.v_THD, inputs.q_THD);
  table_for(inputs, ways)
      .attention_backward(inputs, out_THD, logsumexp_HT, grad_out_THD, gradients);
}

void attention_backward_cpu(const AttentionInputs& inputs, const at::Tensor& out_THD,
                            const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                            const AttentionGradients& gradients) {
  if (!is_tiled(inputs))
    return attention_backward_reference(inputs, out_THD, logsumexp_HT, grad_out_THD, gradients);
  with_tile_ops(inputs, [&](const auto& ops) {
    tiled_attention_backward(inputs, ops, out_THD, logsumexp_HT, grad_out_THD, gradients);
  });
}

}  // namespace sequela
