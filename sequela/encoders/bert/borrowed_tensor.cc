#include "sequela/encoders/bert/borrowed_tensor.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

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

// False if all pages of the range are known to be the file's. Those that were written since they
// were mapped, as a model trained in place does, are this process's alone and would be lost.
bool may_hold_written_pages(uintptr_t first, uintptr_t last, uintptr_t page) {
  constexpr uint64_t kIsThere = uint64_t{3} << 62;  // in memory or swapped out
  constexpr uint64_t kIsOfFile = uint64_t{1} << 61;
  std::vector<uint64_t> entries((last - first) / page);
  const int descriptor = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return true;
  const size_t num_bytes = entries.size() * sizeof(uint64_t);
  const auto offset = static_cast<off_t>(first / page * sizeof(uint64_t));
  const ssize_t num_read = pread(descriptor, entries.data(), num_bytes, offset);
  close(descriptor);
  if (num_read != static_cast<ssize_t>(num_bytes)) return true;
  return std::ranges::any_of(
      entries, [](uint64_t entry) { return (entry & kIsThere) != 0 && (entry & kIsOfFile) == 0; });
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
  if (first >= last || may_hold_written_pages(first, last, page)) return;
  madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace sequela
