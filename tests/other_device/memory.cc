#include "tests/other_device/memory.h"

#include <sys/mman.h>

#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "tests/other_device/other_device.h"

namespace sequela {
namespace {

constexpr size_t kArena = size_t{8} << 30;  // reserved, taken page by page
constexpr size_t kAlignment = 64;

class Arena {
 public:
  Arena()
      : start_(static_cast<char*>(
            mmap(nullptr, kArena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    if (start_ == MAP_FAILED) throw std::bad_alloc();
  }

  void* take(size_t size) {
    const std::lock_guard lock(mutex_);
    std::vector<void*>& free = free_[size];
    if (!free.empty()) {
      void* pointer = free.back();
      free.pop_back();
      return pointer;
    }
    if (used_ + size > kArena) throw std::bad_alloc();
    used_ += size;
    return start_ + used_ - size;
  }

  void give_back(void* pointer, size_t size) {
    const std::lock_guard lock(mutex_);
    free_[size].push_back(pointer);
  }

  void open() {
    const std::lock_guard lock(mutex_);
    if (users_++ == 0) mprotect(start_, kArena, PROT_READ | PROT_WRITE);
  }

  void close() {
    const std::lock_guard lock(mutex_);
    if (--users_ == 0) mprotect(start_, kArena, PROT_NONE);
  }

  bool holds(const void* pointer) const { return pointer >= start_ && pointer < start_ + kArena; }

 private:
  std::mutex mutex_;
  char* start_;
  size_t used_ = 0;
  int users_ = 0;
  std::map<size_t, std::vector<void*>> free_;  // by size
};

Arena& arena() {
  static Arena& arena = *new Arena;  // tensors may outlive main
  return arena;
}

struct Block {
  void* pointer;
  size_t size;
};

void delete_block(void* context) {
  const auto* block = static_cast<Block*>(context);
  arena().give_back(block->pointer, block->size);
  delete block;
}

class OtherMemory : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &delete_block, other_device()};
    const size_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    auto* block = new Block{arena().take(size), size};
    return {block->pointer, block, &delete_block, other_device()};
  }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    const OpenMemory open;
    std::memcpy(to, from, bytes);
  }
};

}  // namespace

c10::Allocator* other_memory() {
  static OtherMemory memory;
  return &memory;
}

bool is_other_memory(const void* pointer) {
  return arena().holds(pointer);
}

OpenMemory::OpenMemory() {
  arena().open();
}

OpenMemory::~OpenMemory() {
  arena().close();
}

}  // namespace sequela
