#include "tests/other_device/memory.h"

#include <c10/util/Exception.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "tests/other_device/other_device.h"

namespace sequela {
namespace {

constexpr size_t kArena = size_t{8} << 30;  // reserved; values take memory page by page
constexpr size_t kAlignment = 64;

char* reserve(int protection) {
  void* start =
      mmap(nullptr, kArena, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
  return static_cast<char*>(start);
}

bool is_in(const char* start, const void* pointer) {
  return pointer >= start && pointer < start + kArena;
}

class Arena {
 public:
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
    return addresses_ + used_ - size;
  }

  void give_back(void* pointer, size_t size) {
    const std::lock_guard lock(mutex_);
    free_[size].push_back(pointer);
  }

  char* value_of(const void* pointer) const {
    TORCH_CHECK(is_in(addresses_, pointer), "no address of the other device's");
    return values_ + (static_cast<const char*>(pointer) - addresses_);
  }
  bool holds_value(const void* pointer) const { return is_in(values_, pointer); }

 private:
  std::mutex mutex_;
  char* const addresses_ = reserve(PROT_NONE);
  char* const values_ = reserve(PROT_READ | PROT_WRITE);
  size_t used_ = 0;
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
    std::memcpy(value_of(to), value_of(from), bytes);
  }
};

}  // namespace

c10::Allocator* other_memory() {
  static OtherMemory memory;
  return &memory;
}

void* value_of(void* pointer) {
  return arena().value_of(pointer);
}

const void* value_of(const void* pointer) {
  return arena().value_of(pointer);
}

bool is_on_host(const void* pointer) {
  return arena().holds_value(pointer);
}

}  // namespace sequela
