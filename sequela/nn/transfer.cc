#include "sequela/nn/transfer.h"

#include <ATen/ATen.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace sequela {
namespace {

constexpr size_t kMaxAhead = 2;  // batches

}  // namespace

Transfer::Transfer(at::Device device, Way way) : device_(device) {
  if (device.is_cpu() && way == Way::by_device) return;
  stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

c10::Stream Transfer::current_stream() const {
  return c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
}

at::Tensor Transfer::copied(const at::Tensor& tensor) const {
  if (device_.is_cpu()) return tensor.clone();
  return tensor.pin_memory().to(device_, /*non_blocking=*/true);
}

void Transfer::start(const std::vector<at::Tensor*>& tensors) {
  if (!is_needed()) return;
  const c10::Stream computing = current_stream();
  const c10::StreamGuard guard(*stream_);
  for (at::Tensor* tensor : tensors) {
    if (!tensor->defined()) continue;
    *tensor = copied(*tensor);
    // Its memory is not given away before that is done with it.
    if (!device_.is_cpu()) tensor->record_stream(computing);
  }
  arrived_.emplace(device_.type());
  arrived_->record(*stream_);
}

void Transfer::arrive() {
  if (arrived_) arrived_->block(current_stream());
}

void Transfer::keep_pace() {
  if (!is_needed()) return;
  done_.emplace_back(device_.type());
  done_.back().record(current_stream());
  if (done_.size() <= kMaxAhead) return;
  done_.front().synchronize();
  done_.pop_front();
}

}  // namespace sequela
