#include "sequela/model/workspace.h"

#include <ATen/ATen.h>

namespace sequela {

const at::Tensor& Buffer::resize(at::IntArrayRef shape, at::ScalarType type, at::Device device) {
  const int64_t size = c10::multiply_integers(shape);
  if (!storage_.defined() || storage_.numel() < size || storage_.scalar_type() != type ||
      storage_.device() != device) {
    storage_ = tensor_ = at::Tensor();  // gives the old memory back first
    storage_ = at::empty({size}, at::TensorOptions(type).device(device));
  }
  return tensor_ = storage_.narrow(0, 0, size).view(shape);
}

}  // namespace sequela
