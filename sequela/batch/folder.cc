#include "sequela/batch/folder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sequela/batch/batch_file.h"
#include "sequela/batch/tensors.h"
#include "sequela/core/error.h"
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

}  // namespace sequela
