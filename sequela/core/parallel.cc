#include "sequela/core/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "sequela/core/run_context.h"

namespace sequela {

int default_num_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

void parallel_for(int64_t count, int num_threads,
                  const std::function<void(int64_t index, int thread)>& body) {
  const int workers = static_cast<int>(std::min<int64_t>(std::max(1, num_threads), count));
  if (workers <= 1) {
    for (int64_t i = 0; i < count; ++i) body(i, 0);
    return;
  }
  std::atomic<int64_t> next{0};
  std::exception_ptr first_error;
  std::mutex mutex;
  const RunContext run = RunContext::current();
  auto work = [&](int thread) {
    const RunScope scope(run);
    for (int64_t i = next++; i < count; i = next++) {
      try {
        body(i, thread);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!first_error) first_error = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::jthread> threads;
  for (int t = 1; t < workers; ++t) threads.emplace_back(work, t);
  work(0);
  threads.clear();
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace sequela
