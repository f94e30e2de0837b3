#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace sequela::cuda_on_cpu {

// A stack of its own, between which and that of the caller the processor goes to and fro. x86-64.
class Fiber {
 public:
  Fiber();
  Fiber(const Fiber&) = delete;

  // Runs `body`, or goes on with it, until it calls wait() or ends. Returns whether it has ended.
  bool run(const std::function<void()>& body);

  // Called within a body: goes back to the caller of run().
  void wait();

 private:
  static void enter();
  void loop();

  std::unique_ptr<std::byte[]> stack_;
  void* own_place_;
  void* callers_place_ = nullptr;
  const void* callers_stack_ = nullptr;
  size_t callers_stack_size_ = 0;
  const std::function<void()>* body_ = nullptr;
};

}  // namespace sequela::cuda_on_cpu
