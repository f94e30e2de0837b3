#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "sequela/batch/arrays_batch.h"
#include "sequela/batch/motor_batches.h"

namespace sequela {

// Reads batches in a given order ahead of their use on a thread of its own.
template <class Batch>
class Loader {
 public:
  // Refers to `batches`: MotorBatches, or a BatchFolder of another objective. num_ahead: batches
  // kept ready, at least 1.
  template <class Batches>
  Loader(const Batches& batches, std::vector<int64_t> order, int64_t num_ahead = 2)
      : Loader(Read([&batches](int64_t index) -> Batch {
                 if constexpr (std::is_same_v<Batch, MotorBatch>) {
                   return batches.read(index);
                 } else {
                   return batches.read_arrays(index);
                 }
               }),
               std::move(order), num_ahead) {}
  ~Loader();
  // The next batch of the order; false at its end. Rethrows what reading threw.
  bool next(Batch& batch);

 private:
  using Read = std::function<Batch(int64_t)>;
  Loader(Read read, std::vector<int64_t> order, int64_t num_ahead);

  struct State;
  std::unique_ptr<State> state_;
};

using BatchLoader = Loader<MotorBatch>;
using ArraysLoader = Loader<ArraysBatch>;

}  // namespace sequela
