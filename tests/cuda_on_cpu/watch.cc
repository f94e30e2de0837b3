#include "tests/cuda_on_cpu/watch.h"

#include <ATen/record_function.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <memory>
#include <set>
#include <utility>

namespace sequela::cuda_on_cpu {
namespace {

// By torch's source: their CUDA versions copy a size or a value to the host.
const std::set<std::string> kWaiting = {
    "aten::item",    "aten::is_nonzero", "aten::nonzero",    "aten::masked_select",
    "aten::equal",   "aten::_unique2",   "aten::unique_dim", "aten::unique_consecutive",
    "aten::bincount"};
// By the list at torch.use_deterministic_algorithms; index_put_ sorts.
const std::set<std::string> kUnordered = {
    "aten::index_add_", "aten::index_add", "aten::scatter_add_", "aten::scatter_add",
    "aten::put_",       "aten::histc",     "aten::cumsum"};

Watched* watched = nullptr;
int depth = 0;

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  if (depth++ > 0) return nullptr;  // within an operation, whose CUDA version does otherwise
  const std::string name = function.name();
  const bool is_sized = name != "aten::repeat_interleave" || !function.inputs().back().isNone();
  if (kWaiting.contains(name) || !is_sized) watched->waits.push_back(name);
  if (kUnordered.contains(name)) watched->unordered_sums.push_back(name);
  return nullptr;
}

void end(const at::RecordFunction&, at::ObserverContext*) {
  --depth;
}

// In place of torch's own for the CPU, which knows one stream only.
struct Guard final : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::CPU> {
  c10::Stream getStream(c10::Device) const noexcept override { return current(); }
  c10::Stream exchangeStream(c10::Stream stream) const noexcept override {
    const c10::Stream before = current();
    current() = stream;
    return before;
  }
  void* getStreamNativeHandle(const c10::Stream stream) const override { return handle_of(stream); }

  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override { return stream_number(9); }

  void record(void** event, const c10::Stream& stream, c10::DeviceIndex,
              c10::EventFlag) const override {
    *event = &event_log();
    event_log().push_back("record " + std::to_string(stream.id()));
  }
  void block(void*, const c10::Stream& stream) const override {
    event_log().push_back("block " + std::to_string(stream.id()));
  }
  void synchronizeEvent(void*) const override { event_log().push_back("wait"); }
  bool queryEvent(void*) const override { return true; }

  static std::vector<std::string>& event_log() {
    static std::vector<std::string> log;
    return log;
  }

  static c10::Stream& current() {
    static c10::Stream stream = stream_number(0);
    return stream;
  }
};

C10_REGISTER_GUARD_IMPL(CPU, Guard);

}  // namespace

Watched watch(const std::function<void()>& run) {
  Watched result;
  watched = &result;
  depth = 0;
  const at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(&begin, &end)
                                     .needsInputs(true)
                                     .scopes({at::RecordScope::FUNCTION}));
  run();
  at::removeCallback(handle);
  return result;
}

std::vector<std::string> take_event_log() {
  return std::exchange(Guard::event_log(), {});
}

c10::Stream stream_number(int64_t id) {
  return c10::Stream(c10::Stream::UNSAFE, c10::Device(c10::DeviceType::CPU), id);
}

void* handle_of(const c10::Stream& stream) {
  return reinterpret_cast<void*>(static_cast<uintptr_t>(stream.id()) * 64);
}

}  // namespace sequela::cuda_on_cpu
