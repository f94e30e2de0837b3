#include "sequela/nn/parameters.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "sequela/core/error.h"
#include "sequela/io/safetensors.h"

namespace sequela {
namespace {

constexpr int64_t kAlignment = 32;  // values: 128 bytes of float32, 64 of bfloat16

int64_t num_of(const std::vector<int64_t>& shape) {
  int64_t num = 1;
  for (int64_t size : shape) num *= size;
  return num;
}

// The tensor's values as float32, in memory of its own.
at::Tensor to_float(const TensorView& view, const std::string& path) {
  const auto type = view.dtype == DType::float32    ? at::kFloat
                    : view.dtype == DType::float16  ? at::kHalf
                    : view.dtype == DType::bfloat16 ? at::kBFloat16
                                                    : at::kByte;
  if (type == at::kByte) {
    throw FileError(path, str("tensor ", view.name, " has type ", dtype_name(view.dtype),
                              ", expected F32, F16 or BF16"));
  }
  at::Tensor values = at::empty(view.shape, type);  // the file's bytes may be unaligned
  if (!view.bytes.empty()) std::memcpy(values.data_ptr(), view.bytes.data(), view.bytes.size());
  return values.to(at::kFloat);
}

}  // namespace

Parameters Parameters::allocate(const std::vector<ParameterShape>& shapes, at::Device device) {
  Parameters parameters;
  int64_t end = 0;
  for (const ParameterShape& shape : shapes) {
    if (!shape.follows_previous) end = (end + kAlignment - 1) / kAlignment * kAlignment;
    parameters.items.push_back({.name = shape.name, .is_decayed = shape.is_decayed, .offset = end});
    end += num_of(shape.shape);
  }
  parameters.flat_values = at::zeros({end}, at::TensorOptions(at::kFloat).device(device));
  for (size_t i = 0; i < shapes.size(); ++i) {
    Parameter& item = parameters.items[i];
    item.value = parameters.flat_values.narrow(0, item.offset, num_of(shapes[i].shape))
                     .view(shapes[i].shape);
  }
  return parameters;
}

Parameter* Parameters::find(std::string_view name) {
  const auto at = std::find_if(items.begin(), items.end(),
                               [&](const Parameter& item) { return item.name == name; });
  return at == items.end() ? nullptr : &*at;
}

const Parameter* Parameters::find(std::string_view name) const {
  return const_cast<Parameters*>(this)->find(name);
}

Parameter& Parameters::get(std::string_view name) {
  Parameter* item = find(name);
  SEQUELA_CHECK(item != nullptr);
  return *item;
}

const Parameter& Parameters::get(std::string_view name) const {
  return const_cast<Parameters*>(this)->get(name);
}

int64_t Parameters::num_values() const {
  int64_t num = 0;
  for (const Parameter& item : items) num += item.value.numel();
  return num;
}

void Parameters::zero_gradients() {
  if (flat_values.defined()) {
    if (flat_gradients.defined()) {
      flat_gradients.zero_();
      return;
    }
    flat_gradients = at::zeros_like(flat_values);
    for (Parameter& item : items) {
      item.gradient =
          flat_gradients.narrow(0, item.offset, item.value.numel()).view(item.value.sizes());
    }
    return;
  }
  for (Parameter& item : items) {
    if (item.gradient.defined()) {
      item.gradient.zero_();
    } else {
      item.gradient = at::zeros_like(item.value);
    }
  }
}

Parameters Parameters::read(const std::string& path) {
  const SafetensorsFile file(path);
  Parameters parameters;
  for (const TensorView& view : file.tensors()) {
    parameters.items.push_back({.name = view.name, .value = to_float(view, path)});
  }
  return parameters;
}

void Parameters::write(const std::string& path) const {
  std::vector<at::Tensor> host;  // keeps the bytes alive
  std::vector<TensorView> views;
  for (const Parameter& item : items) {
    host.push_back(item.value.to(at::kCPU, at::kFloat).contiguous());
    const at::Tensor& values = host.back();
    views.push_back({.name = item.name,
                     .dtype = DType::float32,
                     .shape = values.sizes().vec(),
                     .bytes = {static_cast<const std::byte*>(values.const_data_ptr()),
                               static_cast<size_t>(values.nbytes())}});
  }
  write_safetensors(path, std::move(views));
}

}  // namespace sequela
