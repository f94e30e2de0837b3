// Stands in for the GPU's functions in a build without SEQUELA_CUDA.

#include "sequela/core/error.h"
#include "sequela/nn/cuda/cuda_kernels.h"
#include "sequela/nn/cuda/dispatch.h"

namespace sequela {
namespace {

[[noreturn]] void refuse() {
  throw ConfigError(kNoCudaKernels);
}

}  // namespace

bool has_cuda_kernels() {
  return false;
}

void attention_forward_cuda(const AttentionInputs&, const at::Tensor&, const at::Tensor&) {
  refuse();
}
void attention_backward_cuda(const AttentionInputs&, const at::Tensor&, const at::Tensor&,
                             const at::Tensor&, const AttentionGradients&) {
  refuse();
}
void hawk_forward_cuda(const at::Tensor&, const at::Tensor&, const HawkParameters&,
                       const PackedSequences&, const at::Tensor&, const at::Tensor&) {
  refuse();
}
void hawk_backward_cuda(const at::Tensor&, const at::Tensor&, const HawkParameters&,
                        const PackedSequences&, const at::Tensor&, const at::Tensor&,
                        const at::Tensor&, const at::Tensor&, const HawkParameters&) {
  refuse();
}
void rms_norm_forward_cuda(const RmsNormForward&) {
  refuse();
}
void rms_norm_backward_cuda(const RmsNormBackward&) {
  refuse();
}
void swiglu_forward_cuda(const at::Tensor&, const at::Tensor&) {
  refuse();
}
void swiglu_backward_cuda(const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  refuse();
}
CudaVersions cuda_versions() {
  refuse();
}
CudaDeviceFacts cuda_device_facts(int) {
  refuse();
}
at::Tensor time_to_event_cuda(const TimeToEventCall&) {
  refuse();
}

}  // namespace sequela
