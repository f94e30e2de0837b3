#include "sequela/nn/parameters.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr int64_t kAlignment = 32;  // values: 128 bytes of float32, 64 of bfloat16

int64_t num_of(const std::vector<int64_t>& shape) {
  int64_t num = 1;
  for (int64_t size : shape) num *= size;
  return num;
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

}  // namespace sequela
