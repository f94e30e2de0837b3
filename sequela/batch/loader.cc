#include "sequela/batch/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "sequela/core/run_context.h"

namespace sequela {

template <class Batch>
struct Loader<Batch>::State {
  const Read read;
  const std::vector<int64_t> order;
  const size_t num_ahead;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  size_t num_read = 0;
  bool is_stopped = false;
  std::exception_ptr failure;
  std::thread thread;

  void run() {
    for (const int64_t index : order) {
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return is_stopped || ready.size() < num_ahead; });
        if (is_stopped) return;
      }
      try {
        add(read(index));
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        changed.notify_all();
        return;
      }
    }
  }

  void add(Batch batch) {
    const std::lock_guard lock(mutex);
    ready.push_back(std::move(batch));
    changed.notify_all();
  }
};

template <class Batch>
Loader<Batch>::Loader(Read read, std::vector<int64_t> order, int64_t num_ahead)
    : state_(new State{std::move(read), std::move(order),
                       static_cast<size_t>(std::max<int64_t>(1, num_ahead))}) {
  state_->thread = std::thread([state = state_.get(), run = RunContext::current()] {
    const RunScope scope(run);
    state->run();
  });
}

template <class Batch>
Loader<Batch>::~Loader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopped = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

template <class Batch>
bool Loader<Batch>::next(Batch& batch) {
  std::unique_lock lock(state_->mutex);
  if (state_->num_read == state_->order.size()) return false;
  state_->changed.wait(lock, [this] { return !state_->ready.empty() || state_->failure; });
  if (state_->ready.empty()) std::rethrow_exception(state_->failure);
  batch = std::move(state_->ready.front());
  state_->ready.pop_front();
  ++state_->num_read;
  state_->changed.notify_all();
  return true;
}

template class Loader<MotorBatch>;
template class Loader<ArraysBatch>;

}  // namespace sequela
