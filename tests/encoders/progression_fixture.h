#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/io/safetensors.h"
#include "sequela/nn/parameters.h"
#include "tests/support/reference.h"

namespace sequela {

inline constexpr double kOutputTolerance = 2e-5;
inline constexpr double kGradientTolerance = 1e-4;

inline double max_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return a.sizes() == b.sizes() ? (a - b).abs().max().item<double>() : 1e9;
}

// The tensors of bert/e_lstm/<name>.safetensors, float32 and int64.
inline NamedTensors read_fixture(const std::string& name) {
  const SafetensorsFile file(reference_path("bert/e_lstm/" + name + ".safetensors"));
  NamedTensors tensors;
  for (const TensorView& view : file.tensors()) {
    const auto type = view.dtype == DType::int64 ? at::kLong : at::kFloat;
    at::Tensor tensor = at::empty(view.shape, type);
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
    tensors[view.name] = tensor;
  }
  return tensors;
}

// The tensors whose names start with `prefix`, without it.
inline NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors found;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) found[name.substr(prefix.size())] = tensor;
  }
  return found;
}

// Leaves that share the parameters' values and add to their gradients.
inline NamedTensors leaves_of(Parameters& parameters) {
  parameters.zero_gradients();
  NamedTensors leaves;
  for (Parameter& item : parameters.items) {
    at::Tensor leaf = item.value.detach().requires_grad_(true);
    leaf.mutable_grad() = item.gradient;
    leaves[item.name] = leaf;
  }
  return leaves;
}

}  // namespace sequela
