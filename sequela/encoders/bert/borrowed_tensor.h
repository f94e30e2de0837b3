#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "sequela/io/safetensors.h"

namespace sequela {

enum class Memory {
  mapped,  // pages of a read-only memory-mapped file
  heap,
};

// A tensor on memory that `owner` keeps alive, without a copy. The bytes must be aligned to the
// type; only those of a mapped file may be written (see MappedFile).
at::Tensor borrow_tensor(const TensorView& view, at::ScalarType type,
                         std::shared_ptr<const void> owner, Memory memory);

// Takes the pages of a tensor borrowed from a mapped file out of this process's memory; they come
// back from the system's cache when read again. Nothing happens to any other tensor, nor to one
// that was written in place (training): its pages are no longer the file's.
void release_pages(const at::Tensor& tensor);

}  // namespace sequela
