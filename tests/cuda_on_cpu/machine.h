#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <source_location>

// Runs kernels that are compiled as C++, one block after another, on one thread of the CPU. The
// threads of a block are fibers: each runs until it waits at a barrier or with its warp. Built with
// the address sanitizer, which sees what a kernel reads or writes outside a buffer.
//
// What it finds: an index out of range (the sanitizer ends the process); threads of a block that
// wait at different places, or return while others wait (std::logic_error); a missing barrier and a
// read of shared memory that nothing wrote (results that differ between the orders, or are NaN).
// What it does not find: faults of memory order within a warp, and all that depends on time.
namespace sequela::cuda_on_cpu {

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

extern dim3 gridDim, blockDim, blockIdx, threadIdx;

// Of those threads that can run, the first of the order runs, until it waits: a thread, or a warp,
// gets as far ahead of the others as barriers let it. Blocks run in the same order. `random` draws
// another order for each block.
enum class Order { ascending, descending, random };
void set_order(Order order, uint64_t seed = 1);

// Since the last reset.
struct Counts {
  int64_t launches = 0;
  int64_t float_atomics = 0;
  int64_t waits = 0;  // calls that make the host wait
  std::set<void*> streams;
};
Counts& counts();

// Shared memory of a block; what a launch does not ask for must not be touched.
inline constexpr size_t kSharedBytes = 48 * 1024;

struct Grid {
  dim3 grid, block;
  size_t shared_bytes;
  void* stream;
};
// Returns false if a GPU would refuse the launch.
bool run_grid(const Grid& grid, const std::function<void()>& thread);

// Called by the threads of a block.
unsigned thread_in_block();
void meet_block(const std::source_location& place);

// The values that the lanes of a warp brought along. `present`: those that took part.
struct Lanes {
  const uint64_t* values;
  unsigned present;
};
Lanes meet_warp(unsigned mask, uint64_t value, const std::source_location& place);

}  // namespace sequela::cuda_on_cpu
