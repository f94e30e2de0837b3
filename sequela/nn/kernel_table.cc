#include "sequela/nn/kernel_table.h"

#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/kernels/cpu_kernels.h"
#include "sequela/nn/kernels/embedding_kernels.h"
#include "sequela/nn/plain/plain.h"

namespace sequela {
namespace {

constexpr int64_t kMaxFlashHead = 256;  // of torch's flash attention, in steps of 8

bool is_mixed(at::ScalarType type) {
  return type == at::kFloat || type == at::kBFloat16;
}

bool cpu_has(Operation operation, at::ScalarType type, int64_t head_size) {
  return is_mixed(type) && (operation != Operation::attention || head_size % 2 == 0);
}

bool cuda_has(Operation operation, at::ScalarType type, int64_t head_size) {
  if (!has_cuda_kernels() || !is_mixed(type)) return false;
  return operation != Operation::attention ||
         (type == at::kBFloat16 && head_size % 8 == 0 && head_size <= kMaxFlashHead);
}

bool plain_has(Operation /*operation*/, at::ScalarType type, int64_t /*head_size*/) {
  return at::isFloatingType(type);
}

TimeToEventCosts time_to_event_costs_cuda(const TimeToEventCall& call) {
  return {time_to_event_cuda(call), time_to_event_costs_plain(call)};
}

}  // namespace

const KernelTable& cpu_kernels() {
  static constexpr KernelTable table{cpu_has,
                                     rms_norm_forward_cpu,
                                     rms_norm_backward_cpu,
                                     swiglu_forward_cpu,
                                     swiglu_backward_cpu,
                                     attention_forward_cpu,
                                     attention_backward_cpu,
                                     hawk_forward_cpu,
                                     hawk_backward_cpu,
                                     embedding_bag_forward_cpu,
                                     embedding_bag_backward_cpu,
                                     time_to_event_cpu,
                                     time_to_event_costs_cpu};
  return table;
}

// Bags of tokens have no kernel: torch's operations that neither wait nor use atomics.
const KernelTable& cuda_kernels() {
  static constexpr KernelTable table{cuda_has,
                                     rms_norm_forward_cuda,
                                     rms_norm_backward_cuda,
                                     swiglu_forward_cuda,
                                     swiglu_backward_cuda,
                                     attention_forward_cuda,
                                     attention_backward_cuda,
                                     hawk_forward_cuda,
                                     hawk_backward_cuda,
                                     embedding_bag_forward_reference,
                                     embedding_bag_backward_reference,
                                     time_to_event_cuda,
                                     time_to_event_costs_cuda};
  return table;
}

const KernelTable& plain_kernels() {
  static constexpr KernelTable table{plain_has,
                                     plain_rms_norm_forward,
                                     plain_rms_norm_backward,
                                     plain_swiglu_forward,
                                     plain_swiglu_backward,
                                     plain_attention_forward,
                                     plain_attention_backward,
                                     plain_hawk_forward,
                                     plain_hawk_backward,
                                     plain_embedding_bag_forward,
                                     plain_embedding_bag_backward,
                                     plain_time_to_event,
                                     plain_time_to_event_costs};
  return table;
}

}  // namespace sequela
