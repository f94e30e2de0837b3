#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace sequela {

// Uninitialised memory for values of plain types, aligned to cache lines.
template <class T>
class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(int64_t count)
      : data_(static_cast<T*>(std::aligned_alloc(64, (count * sizeof(T) + 127) / 64 * 64))) {
    if (data_ == nullptr) throw std::bad_alloc();
  }
  T* data() { return data_.get(); }
  T* operator+(int64_t offset) { return data_.get() + offset; }

 private:
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  std::unique_ptr<T, Free> data_;
};

}  // namespace sequela
