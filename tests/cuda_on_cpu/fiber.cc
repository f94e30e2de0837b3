#include "tests/cuda_on_cpu/fiber.h"

#include <sanitizer/common_interface_defs.h>

#include <cstdint>

// Saves what a call must keep on the stack, the stack's place in *rdi, and takes up those of rsi.
asm(R"(
.text
.globl sequela_switch_stack
.type sequela_switch_stack, @function
sequela_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sequela_switch_stack, .-sequela_switch_stack
)");

extern "C" void sequela_switch_stack(void** from, void* to);

namespace sequela::cuda_on_cpu {
namespace {

constexpr size_t kStack = 64 * 1024;
constexpr size_t kSavedRegisters = 6;

Fiber* entering = nullptr;

}  // namespace

Fiber::Fiber() : stack_(new std::byte[kStack]) {
  const auto end = reinterpret_cast<uintptr_t>(stack_.get() + kStack) & ~uintptr_t{15};
  void** first = reinterpret_cast<void**>(end) - 2;  // where the first switch returns to
  *first = reinterpret_cast<void*>(&Fiber::enter);
  own_place_ = first - kSavedRegisters;
}

bool Fiber::run(const std::function<void()>& body) {
  if (body_ == nullptr) body_ = &body;
  entering = this;
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack_.get(), kStack);
  sequela_switch_stack(&callers_place_, own_place_);
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
  return body_ == nullptr;
}

void Fiber::wait() {
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, callers_stack_, callers_stack_size_);
  sequela_switch_stack(&own_place_, callers_place_);
  __sanitizer_finish_switch_fiber(fake_stack, &callers_stack_, &callers_stack_size_);
}

void Fiber::enter() {
  Fiber* self = entering;
  __sanitizer_finish_switch_fiber(nullptr, &self->callers_stack_, &self->callers_stack_size_);
  self->loop();
}

void Fiber::loop() {
  for (;;) {
    (*body_)();
    body_ = nullptr;
    wait();
  }
}

}  // namespace sequela::cuda_on_cpu
