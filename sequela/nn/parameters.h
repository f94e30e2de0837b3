#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// One trained tensor, float32, with its gradient and how the optimizer treats it.
struct Parameter {
  std::string name;     // femr's name, "transformer.layers.0.input_proj.weight"
  at::Tensor value;     // float32
  at::Tensor gradient;  // float32, same shape; undefined until zero_gradients()
  bool is_decayed = false;  // weight decay: matrices, embeddings, convolution kernels
};

// A model's parameters in a fixed order.
class Parameters {
 public:
  std::vector<Parameter> items;

  Parameter* find(std::string_view name);
  const Parameter* find(std::string_view name) const;
  int64_t num_values() const;
  void zero_gradients();

  // model.safetensors, float32. read: F32, F16, BF16 tensors, all names of the file; untrusted (FileError).
  static Parameters read(const std::string& path);
  void write(const std::string& path) const;  // atomic; tensors sorted by name
};

}  // namespace sequela
