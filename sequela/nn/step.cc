#include "sequela/nn/step.h"

#include <ATen/ATen.h>

#include "sequela/core/error.h"
#include "sequela/nn/isa.h"

namespace sequela {
namespace {

constexpr double kGateScale = -8;
constexpr int64_t kVector = 16;

const StepOps& ops_in_use() {
  return kernels_in_use(kStepAvx2, kStepAvx512, kStepAvx512Bf16);
}

bool has_vectors(int64_t size) {
  return kernel_isa() != Isa::portable && size % kVector == 0;
}

}  // namespace

HawkStepParameters::HawkStepParameters(const HawkParameters& parameters)
    : tensors(parameters), decay_W(kGateScale * at::softplus(parameters.a_param_W)) {
  for (at::Tensor* tensor :
       {&tensors.conv_weight_4W, &tensors.conv_bias_W, &tensors.input_gate_weight_NBB,
        &tensors.input_gate_bias_NB, &tensors.a_gate_weight_NBB, &tensors.a_gate_bias_NB}) {
    *tensor = tensor->contiguous();
  }
}

void hawk_step(const HawkStepParameters& parameters, const HawkStep& step,
               std::span<float> scratch) {
  const HawkParameters& p = parameters.tensors;
  const int64_t width = parameters.decay_W.size(0), blocks = p.a_gate_weight_NBB.size(0);
  SEQUELA_CHECK(static_cast<int64_t>(scratch.size()) >= 3 * width);
  const HawkStepRows rows{step.x_W,
                          step.y_W,
                          step.is_start,
                          step.history_3W,
                          step.state_W,
                          step.out_W,
                          p.conv_weight_4W.const_data_ptr<float>(),
                          p.conv_bias_W.const_data_ptr<float>(),
                          p.a_gate_weight_NBB.const_data_ptr<float>(),
                          p.a_gate_bias_NB.const_data_ptr<float>(),
                          p.input_gate_weight_NBB.const_data_ptr<float>(),
                          p.input_gate_bias_NB.const_data_ptr<float>(),
                          parameters.decay_W.const_data_ptr<float>(),
                          width,
                          blocks,
                          scratch.data()};
  if (has_vectors(width / blocks)) return ops_in_use().hawk(rows);
  hawk_step_reference(rows);
}

void attention_step(const AttentionStep& step, std::span<float> scratch) {
  SEQUELA_CHECK(static_cast<int64_t>(scratch.size()) >= step.num_heads * step.num_slots);
  const AttentionStepRows rows{step.q_HD,          step.chunks,    step.keys_offset,
                               step.values_offset, step.num_slots, step.num_heads,
                               step.head_size,     step.out_HD,    scratch.data()};
  if (has_vectors(step.head_size)) return ops_in_use().attention[step.is_bf16 ? 1 : 0](rows);
  attention_step_reference(rows, step.is_bf16);
}

}  // namespace sequela
