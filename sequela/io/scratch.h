#pragma once

#include <cstddef>
#include <string>

namespace sequela {

// Zeroed working memory backed by an unlinked file in `folder`: the kernel may write it out, so it
// does not count against the memory that must stay free. Gone with the object, also after a crash.
// Throws ResourceError if the disk lacks room.
class ScratchMemory {
 public:
  ScratchMemory(const std::string& folder, size_t size);
  ~ScratchMemory();
  ScratchMemory(const ScratchMemory&) = delete;
  ScratchMemory& operator=(const ScratchMemory&) = delete;

  void* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sequela
