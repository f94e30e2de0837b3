#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <deque>
#include <optional>
#include <vector>

namespace sequela {

// Brings batches to a GPU beside its computing: from pinned memory, on a stream of their own, while
// the one before is computed. Nothing waits for the device, but for keep_pace(). For one thread. On
// the CPU it does nothing.
class Transfer {
 public:
  // `beside`: also on the CPU, without pinned memory, for tests.
  enum class Way { by_device, beside };
  explicit Transfer(at::Device device, Way way = Way::by_device);

  // Whether there is anything to bring: the device is not the CPU.
  bool is_needed() const { return stream_.has_value(); }

  // Replaces tensors of the CPU by copies on the device, which are filled in time; undefined ones
  // stay. The current stream may use them after arrive().
  void start(const std::vector<at::Tensor*>& tensors);
  // The current stream goes on when the copies of the last start() are there.
  void arrive();

  // Notes the end of what the current stream was asked for, and waits for that of the call before
  // the last: the host is not more than two batches ahead of the device, and so is their memory.
  void keep_pace();

 private:
  c10::Stream current_stream() const;
  at::Tensor copied(const at::Tensor& tensor) const;

  const at::Device device_;
  std::optional<c10::Stream> stream_;
  std::optional<c10::Event> arrived_;
  std::deque<c10::Event> done_;
};

}  // namespace sequela
