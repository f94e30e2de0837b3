#include "sequela/batch/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "sequela/batch/batch_file.h"
#include "sequela/batch/tensors.h"
#include "sequela/core/error.h"
#include "sequela/core/run_context.h"
#include "sequela/io/arrow_stream.h"

namespace sequela {

namespace {

[[noreturn]] void fail_other_objective(const std::string& folder) {
  throw FileError(folder, "its batches are of another objective",
                  "name that one (--objective), or prepare them for this one");
}

}  // namespace

struct BatchFolder::State {
  std::string folder;
  std::vector<BatchFileReader> files;
  std::vector<int64_t> first_batches;  // of each file; then the number of all
  BatchLimits limits;

  // The file of a batch and its number in it.
  std::pair<const BatchFileReader*, int64_t> find(int64_t batch) const {
    SEQUELA_CHECK(batch >= 0 && batch < first_batches.back());
    const auto after = std::upper_bound(first_batches.begin(), first_batches.end(), batch);
    const auto file = after - first_batches.begin() - 1;
    return {&files[file], batch - first_batches[file]};
  }
};

BatchFolder::BatchFolder(std::unique_ptr<State> state) : state_(std::move(state)) {}
BatchFolder::BatchFolder(BatchFolder&&) noexcept = default;
BatchFolder::~BatchFolder() = default;

BatchFolder BatchFolder::open(const std::string& folder, const BatchLimits& limits) {
  const std::vector<std::string> paths = list_stream_files(folder);

  auto state = std::make_unique<State>();
  state->folder = folder;
  state->limits = limits;
  state->first_batches.push_back(0);
  for (const std::string& path : paths) {
    state->files.emplace_back(path);
    state->first_batches.push_back(state->first_batches.back() + state->files.back().num_batches());
  }
  return BatchFolder(std::move(state));
}

int64_t BatchFolder::num_batches() const {
  return state_->first_batches.back();
}

int64_t BatchFolder::num_tokens(int64_t batch) const {
  const auto [file, index] = state_->find(batch);
  return file->num_tokens(index);
}

MotorBatch BatchFolder::read(int64_t batch) const {
  const auto [file, index] = state_->find(batch);
  BatchArrays arrays;
  file->read(index, state_->limits, arrays);
  if (!arrays.targets.empty()) fail_other_objective(state_->folder);
  return to_motor_batch(std::move(arrays));
}

ArraysBatch BatchFolder::read_arrays(int64_t batch) const {
  const auto [file, index] = state_->find(batch);
  BatchArrays arrays;
  file->read(index, state_->limits, arrays);
  if (arrays.targets.empty()) fail_other_objective(state_->folder);
  return to_arrays_batch(std::move(arrays));
}

namespace {

void read_into(const BatchFolder& folder, int64_t index, MotorBatch& batch) {
  batch = folder.read(index);
}
void read_into(const BatchFolder& folder, int64_t index, ArraysBatch& batch) {
  batch = folder.read_arrays(index);
}

}  // namespace

template <class Batch>
struct Loader<Batch>::State {
  const BatchFolder& folder;
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
        Batch batch;
        read_into(folder, index, batch);
        add(std::move(batch));
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
Loader<Batch>::Loader(const BatchFolder& folder, std::vector<int64_t> order, int64_t num_ahead)
    : state_(new State{folder, std::move(order),
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
