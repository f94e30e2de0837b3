#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// One trained tensor, float32, with its gradient and how the optimizer treats it.
struct Parameter {
  std::string name;         // femr's name, "transformer.layers.0.input_proj.weight"
  at::Tensor value;         // float32
  at::Tensor gradient;      // float32, same shape; undefined until zero_gradients()
  bool is_decayed = false;  // weight decay: matrices, embeddings, convolution kernels
  int64_t offset = 0;       // of its first value in flat_values, if that is defined
};

// A part of a parameter that is of one kind: `length` rows (dimension 0) or columns (1) from
// `start`.
struct ParameterPart {
  std::string kind;      // "attention"
  size_t parameter = 0;  // in Parameters::items
  int64_t dimension = 0;
  int64_t start = 0;
  int64_t length = 0;
  bool is_matrix = false;  // one linear map, inputs to outputs; no table, no convolution
};

// What a parameter is before it has values.
struct ParameterShape {
  std::string name;
  std::vector<int64_t> shape;
  bool is_decayed = false;
  bool follows_previous = false;  // starts right after the one before, so that both make one matrix
};

// A model's parameters in a fixed order.
class Parameters {
 public:
  std::vector<Parameter> items;

  // All values, and all gradients, in one buffer each: items[i].value is a view of flat_values (the
  // few values between two parameters are 0). Undefined for parameters that were read from a file.
  at::Tensor flat_values;
  at::Tensor flat_gradients;

  // Parameters of the given shapes in one buffer, all 0, each (unless it follows another) at a
  // multiple of 32 values.
  static Parameters allocate(const std::vector<ParameterShape>& shapes, at::Device device);

  Parameter* find(std::string_view name);
  const Parameter* find(std::string_view name) const;
  Parameter& get(std::string_view name);  // must be there
  const Parameter& get(std::string_view name) const;

  int64_t num_values() const;
  void zero_gradients();

  // model.safetensors, float32. read: F32, F16, BF16 tensors, all names of the file; untrusted
  // (FileError).
  static Parameters read(const std::string& path);
  void write(const std::string& path) const;  // atomic; tensors sorted by name
};

}  // namespace sequela
