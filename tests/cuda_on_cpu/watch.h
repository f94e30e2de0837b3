#pragma once

#include <c10/core/Stream.h>

#include <functional>
#include <string>
#include <vector>

namespace sequela::cuda_on_cpu {

// Which of the torch operations that `run` calls would, on a GPU, make the host wait, and which
// add floats in no fixed order.
struct Watched {
  std::vector<std::string> waits, unordered_sums;
};
Watched watch(const std::function<void()>& run);

// What happened to events since the last call, in order: "record 9" on stream 9, "block 0" of
// stream 0, "wait" of the host. The stream that torch's pool gives is 9.
std::vector<std::string> take_event_log();

// A stream of the CPU, which the machine treats as a GPU does its own: with c10::StreamGuard it is
// the current one. `handle_of` is what a launch on it must name.
c10::Stream stream_number(int64_t id);
void* handle_of(const c10::Stream& stream);

}  // namespace sequela::cuda_on_cpu
