#pragma once

#include <ATen/ATen.h>

namespace sequela {

// A tensor on memory that is kept from batch to batch and only ever grows, so that a step allocates
// nothing: fresh memory costs as much as the matrix product that fills it.
class Buffer {
 public:
  // Makes tensor() a contiguous tensor of this shape; its content is undefined.
  const at::Tensor& resize(at::IntArrayRef shape, at::ScalarType type, at::Device device) {
    const int64_t size = c10::multiply_integers(shape);
    if (!storage_.defined() || storage_.numel() < size || storage_.scalar_type() != type ||
        storage_.device() != device) {
      storage_ = tensor_ = at::Tensor();  // gives the old memory back first
      storage_ = at::empty({size}, at::TensorOptions(type).device(device));
    }
    return tensor_ = storage_.narrow(0, 0, size).view(shape);
  }

  const at::Tensor& tensor() const { return tensor_; }

 private:
  at::Tensor storage_;
  at::Tensor tensor_;
};

}  // namespace sequela
