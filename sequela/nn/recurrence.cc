#include "sequela/nn/recurrence.h"

#include <stdexcept>

#include "sequela/nn/isa.h"
#include "sequela/nn/kernels/check.h"
#include "sequela/nn/kernels/cpu_kernels.h"
#include "sequela/nn/kernels/hawk_kernels.h"
#include "sequela/nn/kernels/hawk_tiled.h"

namespace sequela {
namespace {

void check_parameters(const HawkParameters& p, int64_t width) {
  check_tensor("input_gate_weight_NBB", p.input_gate_weight_NBB, {-1, -1, -1}, {at::kFloat});
  const int64_t blocks = p.input_gate_weight_NBB.size(0), size = p.input_gate_weight_NBB.size(1);
  if (blocks * size != width) throw std::invalid_argument("the gate blocks do not cover the width");
  check_tensor("input_gate_weight_NBB", p.input_gate_weight_NBB, {blocks, size, size},
               {at::kFloat});
  check_tensor("input_gate_bias_NB", p.input_gate_bias_NB, {blocks, size}, {at::kFloat});
  check_tensor("a_gate_weight_NBB", p.a_gate_weight_NBB, {blocks, size, size}, {at::kFloat});
  check_tensor("a_gate_bias_NB", p.a_gate_bias_NB, {blocks, size}, {at::kFloat});
  check_tensor("conv_weight_4W", p.conv_weight_4W, {4, width}, {at::kFloat});
  check_tensor("conv_bias_W", p.conv_bias_W, {width}, {at::kFloat});
  check_tensor("a_param_W", p.a_param_W, {width}, {at::kFloat});
}

void check_inputs(const at::Tensor& x_TW, const at::Tensor& y_TW, const PackedSequences& sequences,
                  const at::Tensor& saved_states_CW) {
  check_tensor("x_TW", x_TW, {sequences.num_tokens(), -1}, kFloating);
  check_tensor("y_TW", y_TW, {x_TW.size(0), x_TW.size(1)}, {x_TW.scalar_type()});
  check_tensor("saved_states_CW", saved_states_CW, {num_hawk_chunks(x_TW.size(0)), x_TW.size(1)},
               {at::kFloat});
}

// The tiles need gate blocks of whole vectors.
bool is_tiled(const HawkParameters& p) {
  return kernel_isa() != Isa::portable && p.a_gate_weight_NBB.size(1) % 16 == 0 &&
         p.conv_weight_4W.stride(1) == 1;
}

// Calls `run` with the tile operations for the tensors' type and the instruction set in use.
// bfloat16 tiles are transposed by pairs, which takes a block of two vectors.
template <class Run>
void with_tile_ops(const at::Tensor& x_TW, const HawkParameters& p, Run run) {
  const HawkTileTables& tables =
      kernels_in_use(kHawkTileAvx2, kHawkTileAvx512, kHawkTileAvx512Bf16);
  if (x_TW.scalar_type() == at::kFloat)
    run(tables.fp32);
  else if (kernel_isa() == Isa::avx512_bf16 && p.a_gate_weight_NBB.size(1) % 32 == 0)
    run(tables.bf16);
  else
    run(tables.bf16_by_fp32);
}

}  // namespace

int64_t num_hawk_chunks(int64_t num_tokens) {
  return (num_tokens + kHawkChunk - 1) / kHawkChunk;
}

void hawk_forward(const at::Tensor& x_TW, const at::Tensor& y_TW, const HawkParameters& parameters,
                  const PackedSequences& sequences, const at::Tensor& out_TW,
                  const at::Tensor& saved_states_CW, const Ways& ways) {
  check_inputs(x_TW, y_TW, sequences, saved_states_CW);
  check_parameters(parameters, x_TW.size(1));
  check_tensor("out_TW", out_TW, {x_TW.size(0), x_TW.size(1)}, {x_TW.scalar_type()});
  ways.table(Operation::recurrence, x_TW)
      .hawk_forward(x_TW, y_TW, parameters, sequences, out_TW, saved_states_CW);
}

void hawk_forward_cpu(const at::Tensor& x_TW, const at::Tensor& y_TW,
                      const HawkParameters& parameters, const PackedSequences& sequences,
                      const at::Tensor& out_TW, const at::Tensor& saved_states_CW) {
  if (!is_tiled(parameters)) {
    return hawk_forward_reference(x_TW, y_TW, parameters, sequences, out_TW, saved_states_CW);
  }
  with_tile_ops(x_TW, parameters, [&](const auto& ops) {
    tiled_hawk_forward(ops, x_TW, y_TW, parameters, sequences, out_TW, saved_states_CW);
  });
}

void hawk_backward(const at::Tensor& x_TW, const at::Tensor& y_TW, const HawkParameters& parameters,
                   const PackedSequences& sequences, const at::Tensor& saved_states_CW,
                   const at::Tensor& grad_out_TW, const at::Tensor& grad_x_TW,
                   const at::Tensor& grad_y_TW, const HawkParameters& gradients, const Ways& ways) {
  check_inputs(x_TW, y_TW, sequences, saved_states_CW);
  check_parameters(parameters, x_TW.size(1));
  check_parameters(gradients, x_TW.size(1));
  const std::initializer_list<at::ScalarType> type = {x_TW.scalar_type()};
  check_tensor("grad_out_TW", grad_out_TW, {x_TW.size(0), x_TW.size(1)}, type);
  check_tensor("grad_x_TW", grad_x_TW, {x_TW.size(0), x_TW.size(1)}, type);
  check_tensor("grad_y_TW", grad_y_TW, {x_TW.size(0), x_TW.size(1)}, type);
  ways.table(Operation::recurrence, x_TW)
      .hawk_backward(x_TW, y_TW, parameters, sequences, saved_states_CW, grad_out_TW, grad_x_TW,
                     grad_y_TW, gradients);
}

void hawk_backward_cpu(const at::Tensor& x_TW, const at::Tensor& y_TW,
                       const HawkParameters& parameters, const PackedSequences& sequences,
                       const at::Tensor& saved_states_CW, const at::Tensor& grad_out_TW,
                       const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                       const HawkParameters& gradients) {
  if (!is_tiled(parameters)) {
    return hawk_backward_reference(x_TW, y_TW, parameters, sequences, saved_states_CW, grad_out_TW,
                                   grad_x_TW, grad_y_TW, gradients);
  }
  const HawkBackwardCall call{x_TW,        y_TW,      parameters, sequences, saved_states_CW,
                              grad_out_TW, grad_x_TW, grad_y_TW,  gradients};
  with_tile_ops(x_TW, parameters, [&](const auto& ops) { tiled_hawk_backward(ops, call); });
}

}  // namespace sequela
