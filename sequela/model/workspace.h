#pragma once

#include <ATen/core/Tensor.h>

namespace sequela {

// A tensor on memory that is kept from batch to batch and only ever grows, so that a step allocates
// nothing: fresh memory costs as much as the matrix product that fills it.
class Buffer {
 public:
  // Makes tensor() a contiguous tensor of this shape; its content is undefined.
  const at::Tensor& resize(at::IntArrayRef shape, at::ScalarType type, at::Device device);

  const at::Tensor& tensor() const { return tensor_; }

 private:
  at::Tensor storage_;
  at::Tensor tensor_;
};

}  // namespace sequela
