#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sequela {

// Calls work(i, thread) once for each i of [0, count), in order, whichever of torch's threads is
// free; thread < at::get_num_threads(). For pieces of unlike size, where at::parallel_for's halves
// would wait for each other. Nothing is recorded for gradients.
template <class Work>
void dealt_loop(int64_t count, Work work) {
  std::atomic<int64_t> next = 0;
  at::parallel_for(0, std::min<int64_t>(at::get_num_threads(), count), 1, [&](int64_t, int64_t) {
    const at::NoGradGuard no_grad;
    for (int64_t i; (i = next.fetch_add(1)) < count;) work(i, at::get_thread_num());
  });
}

}  // namespace sequela
