#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sequela/nn/inputs.h"

namespace sequela {

// A folder of batches on disk, compact or femr's form (told by its files). Thread-safe to read.
class BatchFolder {
 public:
  static BatchFolder open(const std::string& folder);  // FileError
  BatchFolder(BatchFolder&&) noexcept;
  ~BatchFolder();

  int64_t num_batches() const;
  int64_t num_tokens(int64_t batch) const;
  MotorBatch read(int64_t batch) const;  // decodes into fresh CPU tensors

 private:
  struct State;
  explicit BatchFolder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Reads batches in a given order ahead of their use on a thread of its own.
class BatchLoader {
 public:
  BatchLoader(const BatchFolder& folder, std::vector<int64_t> order, int64_t num_ahead = 2);
  ~BatchLoader();
  // The next batch of the order; std::nullopt-like: false at its end. Rethrows what reading threw.
  bool next(MotorBatch& batch);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sequela
