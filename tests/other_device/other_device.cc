#include "tests/other_device/other_device.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/other_device/memory.h"

namespace sequela {
namespace {

constexpr c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);

at::Tensor new_tensor(at::IntArrayRef size, at::ScalarType type) {
  return at::detail::empty_generic(size, other_memory(), kKeys, type, std::nullopt);
}

// The device's memory as a tensor of the CPU's.
at::Tensor on_host(const at::Tensor& x) {
  if (x.numel() == 0) return at::empty_strided(x.sizes(), x.strides(), x.scalar_type());
  return at::from_blob(value_of(x.data_ptr()), x.sizes(), x.strides(),
                       x.options().device(at::kCPU));
}

at::Tensor to_other(const at::Tensor& host) {
  at::Tensor x = at::detail::empty_strided_generic(host.sizes(), host.strides(), other_memory(),
                                                   kKeys, host.scalar_type());
  on_host(x).copy_(host);
  return x;
}

// Operations whose indices or lengths may be, or are, on the host beside a device's values.
bool takes_host_tensors(const std::string& name) {
  constexpr std::array<std::string_view, 5> kNames = {
      "aten::index", "aten::index_put_", "aten::_index_put_impl_", "aten::_pack_padded_sequence",
      "aten::_pack_padded_sequence_backward"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// The tensors of one call: the device's, and what the CPU's operation gets in their place.
class Arguments {
 public:
  explicit Arguments(std::string name) : name_(std::move(name)) {}

  at::Tensor host_of(const at::Tensor& x) {
    if (!x.defined()) return x;
    if (x.is_cpu()) {
      has_host_values_ = has_host_values_ || x.dim() > 0;
      return x;
    }
    for (const auto& [other, host] : pairs_) {
      if (other.is_same(x)) return host;
    }
    // An empty one may be an output that grows.
    pairs_.emplace_back(
        x, x.numel() == 0 ? at::empty(x.sizes(), x.options().device(at::kCPU)) : on_host(x));
    return pairs_.back().second;
  }

  void check_devices() const {
    TORCH_CHECK(pairs_.empty() || !has_host_values_ || takes_host_tensors(name_), name_,
                ": tensors on the CPU and on the other device");
  }

  at::Tensor result_of(const at::Tensor& host) {
    if (!host.defined()) return host;
    for (auto& [other, twin] : pairs_) {
      if (!twin.is_same(host)) continue;
      if (twin.sizes() != other.sizes()) other.set_data(to_other(twin));
      return other;
    }
    TORCH_CHECK(host.numel() == 0 || !is_on_host(host.data_ptr()), name_,
                ": a view that other_device.cc does not know");
    return to_other(host);
  }

 private:
  std::string name_;
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs_;
  bool has_host_values_ = false;
};

// Applies change(tensor) to each tensor of a value.
template <class Change>
void change_tensors(c10::IValue& value, Change change) {
  if (value.isTensor()) {
    value = change(value.toTensor());
  } else if (value.isTensorList()) {
    std::vector<at::Tensor> tensors = value.toTensorVector();
    for (at::Tensor& tensor : tensors) tensor = change(tensor);
    value = c10::List<at::Tensor>(tensors);
  } else if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> tensors;
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector())
      tensors.push_back(tensor ? std::optional(change(*tensor)) : std::nullopt);
    value = tensors;
  }
}

void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  Arguments arguments(op.schema().name());
  const size_t first = stack->size() - op.schema().arguments().size();
  for (size_t i = first; i < stack->size(); ++i) {
    c10::IValue& value = (*stack)[i];
    change_tensors(value, [&](const at::Tensor& x) { return arguments.host_of(x); });
    if (value.isDevice()) value = at::Device(at::kCPU);
  }
  arguments.check_devices();
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  for (size_t i = first; i < stack->size(); ++i) {
    change_tensors((*stack)[i], [&](const at::Tensor& x) { return arguments.result_of(x); });
  }
}

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, other_memory(), kKeys, type.value_or(at::kFloat), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef strides,
                         std::optional<at::ScalarType> type, std::optional<at::Layout>,
                         std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, strides, other_memory(), kKeys,
                                           type.value_or(at::kFloat));
}

const at::Tensor& resize(const at::Tensor& x, at::IntArrayRef size,
                         std::optional<at::MemoryFormat>) {
  if (x.sizes() != size)
    x.unsafeGetTensorImpl()->shallow_copy_from(new_tensor(size, x.scalar_type()).getIntrusivePtr());
  return x;
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  const auto host_of = [](const at::Tensor& x) { return x.is_cpu() ? x : on_host(x); };
  host_of(to).copy_(host_of(from));
  return to;
}

// torch takes this operation for LSTMs on every device but the CPU, which has no kernel of it.
// Gates [rows, 4 H]: input, forget, cell, output.
std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm_cell(
    const at::Tensor& input_gates, const at::Tensor& hidden_gates, const at::Tensor& cell,
    const std::optional<at::Tensor>& input_bias, const std::optional<at::Tensor>& bias) {
  at::Tensor sum = input_gates + hidden_gates;
  if (input_bias && input_bias->defined()) sum = sum + *input_bias + *bias;
  const std::vector<at::Tensor> gates = sum.chunk(4, 1);
  const at::Tensor in = gates[0].sigmoid(), forget = gates[1].sigmoid(), fresh = gates[2].tanh(),
                   out = gates[3].sigmoid();
  const at::Tensor next = forget * cell + in * fresh;
  return {out * next.tanh(), next, at::cat({in, forget, fresh, out}, 1)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm_cell_backward(
    const std::optional<at::Tensor>& grad_hidden, const std::optional<at::Tensor>& grad_next,
    const at::Tensor& cell, const at::Tensor& next, const at::Tensor& workspace, bool has_bias) {
  const std::vector<at::Tensor> gates = workspace.chunk(4, 1);
  const at::Tensor &in = gates[0], &forget = gates[1], &fresh = gates[2], &out = gates[3];
  const auto or_zero = [&](const std::optional<at::Tensor>& x) {
    return x && x->defined() ? *x : at::zeros_like(next);
  };
  const at::Tensor grad_out = or_zero(grad_hidden), shape = next.tanh();
  const at::Tensor grad = or_zero(grad_next) + grad_out * out * (1 - shape * shape);
  const at::Tensor grad_gates =
      at::cat({grad * fresh * in * (1 - in), grad * cell * forget * (1 - forget),
               grad * in * (1 - fresh * fresh), grad_out * shape * out * (1 - out)},
              1);
  return {grad_gates, grad * forget, has_bias ? grad_gates.sum(0) : at::Tensor()};
}

class OtherHooks : public at::PrivateUse1HooksInterface {
 public:
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  at::Allocator* getPinnedMemoryAllocator() const override { return c10::GetCPUAllocator(); }
};

// One stream, on which all is done when it is asked for.
class OtherGuard : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return other_device().type(); }
  at::Device exchangeDevice(at::Device) const override { return other_device(); }
  at::Device getDevice() const override { return other_device(); }
  void setDevice(at::Device) const override {}
  void uncheckedSetDevice(at::Device) const noexcept override {}
  c10::Stream getStream(at::Device) const override { return stream(); }
  c10::Stream getStreamFromGlobalPool(at::Device, bool) const override { return stream(); }
  c10::Stream exchangeStream(c10::Stream) const override { return stream(); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void** event, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {
    static int recorded;
    *event = &recorded;
  }
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {}
  void synchronizeEvent(void*) const override {}
  void synchronizeDevice(c10::DeviceIndex) const override {}

 private:
  static c10::Stream stream() { return c10::Stream(c10::Stream::DEFAULT, other_device()); }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, OtherGuard)

[[maybe_unused]] const bool is_registered = [] {
  c10::register_privateuse1_backend("other");
  at::RegisterPrivateUse1HooksInterface(new OtherHooks);
  return true;
}();

}  // namespace

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("resize_", &resize);
  library.impl("_copy_from", &copy_from);
  library.impl("record_stream", [](at::Tensor&, at::Stream) {});
  library.impl("_thnn_fused_lstm_cell", &lstm_cell);
  library.impl("_thnn_fused_lstm_cell_backward_impl", &lstm_cell_backward);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("view", &at::native::view);
  library.impl("_reshape_alias", &at::native::_reshape_alias);
  library.impl("unfold", &at::native::unfold);
}

}  // namespace sequela
