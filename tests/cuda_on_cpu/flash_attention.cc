// Stands in for torch's flash attention, which a CPU lacks: the plain reference of ours, by the
// arguments' meaning in torch's aten/src/ATen/native/transformers/cuda/attention.cu. What that
// demands of its arguments is checked.

#include <ATen/ATen.h>
#include <torch/library.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/nn/kernels/attention_kernels.h"

namespace sequela {
namespace {

// The arguments of a call by their names in torch's schema, which grows from version to version.
class Arguments {
 public:
  Arguments(const c10::OperatorHandle& op, const torch::jit::Stack& stack)
      : schema_(op.schema()), first_(&stack[stack.size() - schema_.arguments().size()]) {}

  const c10::IValue& operator[](const char* name) const {
    const std::optional<int> index = schema_.argumentIndexWithName(name);
    SEQUELA_CHECK(index.has_value());
    return first_[*index];
  }

 private:
  const c10::FunctionSchema& schema_;
  const c10::IValue* first_;
};

void check_matrix(const at::Tensor& x_THD) {
  SEQUELA_CHECK(x_THD.scalar_type() == at::kBFloat16 && x_THD.dim() == 3 && x_THD.stride(2) == 1);
  SEQUELA_CHECK(x_THD.size(2) % 8 == 0 && x_THD.size(2) <= 256);
}

PackedSequences sequences_of(const Arguments& arguments) {
  const at::Tensor offsets = arguments["cum_seq_q"].toTensor();
  SEQUELA_CHECK(offsets.scalar_type() == at::kInt && offsets.is_contiguous());
  SEQUELA_CHECK(offsets.equal(arguments["cum_seq_k"].toTensor()));
  PackedSequences sequences =
      build_packed_sequences(offsets.slice(0, 1) - offsets.slice(0, 0, -1), at::kCPU);
  SEQUELA_CHECK(arguments["max_q"].toInt() == sequences.max_length);
  SEQUELA_CHECK(arguments["max_k"].toInt() == sequences.max_length);
  return sequences;
}

AttentionInputs inputs_of(const Arguments& arguments, const PackedSequences& sequences) {
  AttentionInputs inputs{arguments["query"].toTensor(),
                         arguments["key"].toTensor(),
                         arguments["value"].toTensor(),
                         {},
                         {},
                         &sequences};
  for (const at::Tensor& x_THD : {inputs.q_THD, inputs.k_THD, inputs.v_THD}) check_matrix(x_THD);
  const int64_t left = arguments["window_size_left"].toInt(),
                right = arguments["window_size_right"].toInt();
  const bool is_causal = arguments["is_causal"].toBool();
  inputs.direction = is_causal ? AttentionDirection::causal : AttentionDirection::bidirectional;
  inputs.window = left + 1;
  SEQUELA_CHECK(is_causal ? left >= 0 && right == 0 : left == -1 && right == -1);
  SEQUELA_CHECK(arguments["dropout_p"].toDouble() == 0);
  SEQUELA_CHECK(std::abs(arguments["scale"].toDouble() *
                             std::sqrt(static_cast<double>(inputs.q_THD.size(2))) -
                         1) < 1e-12);
  return inputs;
}

void forward(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const Arguments arguments(op, *stack);
  const PackedSequences sequences = sequences_of(arguments);
  const AttentionInputs inputs = inputs_of(arguments, sequences);
  const at::Tensor out = at::empty(inputs.q_THD.sizes(), inputs.q_THD.options());
  const at::Tensor logsumexp = at::empty({out.size(1), out.size(0)}, at::kFloat);
  attention_forward_reference(inputs, out, logsumexp);
  const at::Tensor none = at::empty({0});
  torch::jit::drop(*stack, op.schema().arguments().size());
  torch::jit::push(*stack, out, logsumexp, none, none, none);
}

void backward(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const Arguments arguments(op, *stack);
  const PackedSequences sequences = sequences_of(arguments);
  const AttentionInputs inputs = inputs_of(arguments, sequences);
  const at::Tensor grad_out = arguments["grad_out"].toTensor(), out = arguments["out"].toTensor();
  SEQUELA_CHECK(grad_out.is_contiguous() && out.is_contiguous());
  const auto empty = [&] { return at::empty(out.sizes(), out.options()); };
  const AttentionGradients gradients{empty(), empty(), empty()};
  attention_backward_reference(inputs, out, arguments["logsumexp"].toTensor(), grad_out, gradients);
  torch::jit::drop(*stack, op.schema().arguments().size());
  torch::jit::push(*stack, gradients.q_THD, gradients.k_THD, gradients.v_THD);
}

TORCH_LIBRARY_IMPL(aten, CPU, library) {
  library.impl("_flash_attention_forward", torch::CppFunction::makeFromBoxedFunction<&forward>());
  library.impl("_flash_attention_backward", torch::CppFunction::makeFromBoxedFunction<&backward>());
}

}  // namespace
}  // namespace sequela
