#include "tests/cuda_on_cpu/machine.h"

#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "tests/cuda_on_cpu/fiber.h"

// Neither what torch keeps until the end nor the stacks of a block that failed are leaks of ours.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}

namespace sequela {

// The kernels' shared memory; device.cuh declares it.
alignas(64) float shared_floats[cuda_on_cpu::kSharedBytes / sizeof(float)];

namespace cuda_on_cpu {

dim3 gridDim, blockDim, blockIdx, threadIdx;

namespace {

constexpr unsigned kWarp = 32, kMaxThreads = 1024, kMaxBlocksAside = 65'535;

struct Thread {
  Fiber* fiber = nullptr;  // while it runs or waits
  const std::source_location* place = nullptr;
};

// Those who wait for each other: a block or a warp.
struct Meeting {
  std::vector<unsigned> waiting;
  unsigned mask = 0;
  unsigned round = 0;
  uint64_t values[2][kWarp];  // of this round and the one before, which slow lanes still read
};

// The ready threads by their rank in the order.
class Ready {
 public:
  void reset(const std::vector<unsigned>& order) {
    order_ = order;
    rank_.resize(order.size());
    for (unsigned rank = 0; rank < order.size(); ++rank) rank_[order[rank]] = rank;
    bits_.assign((order.size() + 63) / 64, 0);
    for (unsigned thread : order) add(thread);
  }
  void add(unsigned thread) { bits_[rank_[thread] / 64] |= uint64_t{1} << rank_[thread] % 64; }

  // Takes the first one out. Returns false if there is none.
  bool take(unsigned& thread) {
    for (size_t i = 0; i < bits_.size(); ++i) {
      if (bits_[i] == 0) continue;
      thread = order_[i * 64 + std::countr_zero(bits_[i])];
      bits_[i] &= bits_[i] - 1;
      return true;
    }
    return false;
  }

 private:
  std::vector<unsigned> order_, rank_;
  std::vector<uint64_t> bits_;
};

struct Machine {
  Order order = Order::ascending;
  Random random{1};
  Counts counts;

  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Fiber*> free_fibers;

  unsigned current = 0;
  unsigned next = 0;
  bool has_next = false;
  unsigned num_threads = 0, num_done = 0;
  std::vector<Thread> threads;
  Ready ready;
  Meeting block;
  std::vector<Meeting> warps;
  std::string fault;
};

Machine machine;

std::vector<unsigned> in_order(unsigned count) {
  std::vector<unsigned> ids(count);
  std::iota(ids.begin(), ids.end(), 0u);
  if (machine.order == Order::descending) std::reverse(ids.begin(), ids.end());
  if (machine.order != Order::random) return ids;
  for (unsigned i = count; i > 1; --i) std::swap(ids[i - 1], ids[machine.random.below(i)]);
  return ids;
}

std::string to_text(const std::source_location& place) {
  return str(place.file_name(), ":", place.line());
}

// The current thread waits until `wanted` threads of the meeting do.
void wait_in(Meeting& meeting, unsigned wanted, const std::source_location& place) {
  Thread& self = machine.threads[machine.current];
  self.place = &place;
  meeting.waiting.push_back(machine.current);
  if (meeting.waiting.size() == wanted) {
    for (unsigned other : meeting.waiting) {
      const std::source_location& there = *machine.threads[other].place;
      if (there.line() != place.line() || std::strcmp(there.file_name(), place.file_name()) != 0)
        machine.fault =
            str("threads wait for each other at ", to_text(there), " and at ", to_text(place));
      machine.ready.add(other);
    }
    meeting.waiting.clear();
    ++meeting.round;
  }
  self.fiber->wait();
}

Fiber* take_fiber() {
  if (machine.free_fibers.empty()) {
    machine.fibers.push_back(std::make_unique<Fiber>());
    return machine.fibers.back().get();
  }
  Fiber* fiber = machine.free_fibers.back();
  machine.free_fibers.pop_back();
  return fiber;
}

void make_current(unsigned id) {
  machine.current = id;
  threadIdx = {id % blockDim.x, id / blockDim.x % blockDim.y, id / blockDim.x / blockDim.y};
}

// On a fiber: runs the current thread to its end, then those that come next and have not begun, as
// long as none of them has to wait.
void run_threads(const std::function<void()>& body) {
  for (;;) {
    body();
    Thread& ended = machine.threads[machine.current];
    Fiber* fiber = std::exchange(ended.fiber, nullptr);
    ++machine.num_done;
    machine.has_next = machine.ready.take(machine.next);
    if (!machine.has_next || machine.threads[machine.next].fiber != nullptr) {
      machine.free_fibers.push_back(fiber);
      return;
    }
    machine.threads[machine.next].fiber = fiber;
    make_current(machine.next);
  }
}

// Threads that stand in the middle of a kernel never end; their stacks are given up.
[[noreturn]] void fail(const std::string& fault) {
  machine.fibers.clear();
  machine.free_fibers.clear();
  throw std::logic_error(
      str("block (", blockIdx.x, ", ", blockIdx.y, ", ", blockIdx.z, "): ", fault));
}

std::string standstill() {
  for (const Thread& thread : machine.threads) {
    if (thread.fiber == nullptr) continue;
    return str("a thread waits at ", to_text(*thread.place),
               " for others that wait elsewhere or have returned; ", machine.num_done, " of ",
               machine.num_threads, " have");
  }
  return {};
}

void run_block(const std::function<void()>& body) {
  machine.threads.assign(machine.num_threads, {});
  machine.num_done = 0;
  machine.ready.reset(in_order(machine.num_threads));
  machine.block = {};
  machine.warps.assign((machine.num_threads + kWarp - 1) / kWarp, {});
  machine.fault.clear();
  const std::function<void()> threads = [&] { run_threads(body); };
  machine.has_next = machine.ready.take(machine.next);
  while (machine.has_next) {
    Thread& thread = machine.threads[machine.next];
    if (thread.fiber == nullptr) thread.fiber = take_fiber();
    make_current(machine.next);
    const bool has_waited = !thread.fiber->run(threads);
    if (!machine.fault.empty()) fail(machine.fault);
    if (has_waited) machine.has_next = machine.ready.take(machine.next);
  }
  if (machine.num_done < machine.num_threads) fail(standstill());
}

bool is_possible(const Grid& grid) {
  const uint64_t threads = uint64_t{grid.block.x} * grid.block.y * grid.block.z;
  return grid.grid.x > 0 && grid.grid.x <= INT32_MAX && grid.grid.y > 0 &&
         grid.grid.y <= kMaxBlocksAside && grid.grid.z > 0 && grid.grid.z <= kMaxBlocksAside &&
         threads > 0 && threads <= kMaxThreads && grid.shared_bytes <= kSharedBytes;
}

}  // namespace

void set_order(Order order, uint64_t seed) {
  machine.order = order;
  machine.random = Random(seed);
}

Counts& counts() {
  return machine.counts;
}

bool run_grid(const Grid& grid, const std::function<void()>& thread) {
  ++machine.counts.launches;
  machine.counts.streams.insert(grid.stream);
  if (!is_possible(grid)) return false;
  gridDim = grid.grid;
  blockDim = grid.block;
  machine.num_threads = blockDim.x * blockDim.y * blockDim.z;
  ASAN_UNPOISON_MEMORY_REGION(shared_floats, kSharedBytes);
  ASAN_POISON_MEMORY_REGION(reinterpret_cast<char*>(shared_floats) + grid.shared_bytes,
                            kSharedBytes - grid.shared_bytes);
  for (unsigned id : in_order(gridDim.x * gridDim.y * gridDim.z)) {
    blockIdx = {id % gridDim.x, id / gridDim.x % gridDim.y, id / gridDim.x / gridDim.y};
    std::memset(static_cast<void*>(shared_floats), 0xff, grid.shared_bytes);  // NaN
    run_block(thread);
  }
  return true;
}

unsigned thread_in_block() {
  return machine.current;
}

void meet_block(const std::source_location& place) {
  wait_in(machine.block, machine.num_threads, place);
}

Lanes meet_warp(unsigned mask, uint64_t value, const std::source_location& place) {
  const unsigned warp = machine.current / kWarp, lane = machine.current % kWarp;
  const unsigned size = std::min(kWarp, machine.num_threads - warp * kWarp);
  Meeting& meeting = machine.warps[warp];
  if (meeting.waiting.empty()) meeting.mask = mask;
  if (meeting.mask != mask || !(mask >> lane & 1))
    machine.fault = str("the lanes at ", to_text(place), " do not agree on who takes part");
  const unsigned present = size == kWarp ? mask : mask & ((1u << size) - 1);
  uint64_t* values = meeting.values[meeting.round % 2];
  values[lane] = value;
  wait_in(meeting, std::popcount(present), place);
  return {values, present};
}

}  // namespace cuda_on_cpu
}  // namespace sequela
