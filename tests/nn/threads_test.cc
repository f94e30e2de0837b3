#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace sequela {
namespace {

// torch's parallel loops are templates: compiled without OpenMP, they would run on one thread and
// say nothing.
TEST(Threads, LoopsOfTheKernelsRunOnAllThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  std::array<std::thread::id, 2> threads;
  at::parallel_for(0, 2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) threads[i] = std::this_thread::get_id();
  });
  at::set_num_threads(before);
  EXPECT_NE(threads[0], threads[1]);
}

}  // namespace
}  // namespace sequela
