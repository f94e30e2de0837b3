#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace sequela {

// A model's weights by name, "encoder.visit_lstm.weight_ih_l0" -> tensor. The functions that take
// them are differentiable: gradients flow to every tensor that asks for one, and no graph is built
// for the others. So they may belong to a Python module, or to the trainer.
using NamedTensors = std::map<std::string, at::Tensor>;

// The tensor of a name. std::invalid_argument that names it if it is missing, or, with a shape
// given, of another shape.
const at::Tensor& get_tensor(const NamedTensors& tensors, const std::string& name);
const at::Tensor& get_tensor(const NamedTensors& tensors, const std::string& name,
                             at::IntArrayRef shape);

}  // namespace sequela
