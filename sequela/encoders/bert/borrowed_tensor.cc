#include "sequela/encoders/bert/borrowed_tensor.h"

#include <ATen/ATen.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace sequela {
namespace {

using Owner = std::shared_ptr<const void>;

// Two functions, so that a tensor's deleter tells what memory it lies on.
void delete_mapped(void* owner) {
  delete static_cast<Owner*>(owner);
}
void delete_heap(void* owner) {
  std::default_delete<Owner>()(static_cast<Owner*>(owner));
}

}  // namespace

at::Tensor borrow_tensor(const TensorView& view, at::ScalarType type, Owner owner, Memory memory) {
  auto* data = const_cast<std::byte*>(view.bytes.data());
  auto context = std::make_unique<Owner>(std::move(owner));
  auto* deleter = memory == Memory::mapped ? &delete_mapped : &delete_heap;
  return at::for_blob(data, view.shape)
      .context(context.release(), deleter)
      .options(at::TensorOptions(type))
      .make_tensor();
}

void release_pages(const at::Tensor& tensor) {
  if (!tensor.has_storage() || tensor.storage().data_ptr().get_deleter() != &delete_mapped) return;
  // The pages that lie wholly inside: the others may hold a neighbour that is in use.
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(tensor.const_data_ptr());
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t last = (begin + tensor.nbytes()) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace sequela
