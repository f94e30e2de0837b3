#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sequela/batch/check.h"
#include "sequela/nn/inputs.h"

namespace sequela {

// A batch of an objective other than MOTOR: its arrays by name, int32 [L].
struct ArraysBatch {
  BatchInputs inputs;
  std::map<std::string, at::Tensor> targets;
};

// A folder of batches on disk, compact or femr's form (told by its files). Thread-safe to read.
class BatchFolder {
 public:
  // limits: of the model that is to read the batches; what goes beyond them is refused. FileError.
  static BatchFolder open(const std::string& folder, const BatchLimits& limits = {});
  BatchFolder(BatchFolder&&) noexcept;
  ~BatchFolder();

  int64_t num_batches() const;
  int64_t num_tokens(int64_t batch) const;
  // Decodes into fresh CPU tensors. Throws FileError if the batch is damaged, or of another
  // objective.
  MotorBatch read(int64_t batch) const;
  ArraysBatch read_arrays(int64_t batch) const;

 private:
  struct State;
  explicit BatchFolder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Reads batches in a given order ahead of their use on a thread of its own.
template <class Batch>
class Loader {
 public:
  // Refers to `folder`. num_ahead: batches kept ready, at least 1.
  Loader(const BatchFolder& folder, std::vector<int64_t> order, int64_t num_ahead = 2);
  ~Loader();
  // The next batch of the order; false at its end. Rethrows what reading threw.
  bool next(Batch& batch);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

using BatchLoader = Loader<MotorBatch>;
using ArraysLoader = Loader<ArraysBatch>;

}  // namespace sequela
