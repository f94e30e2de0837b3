#pragma once

#include <cstdint>

#include "sequela/nn/inputs.h"

namespace sequela {

// Batches of a MOTOR model by their numbers, wherever they lie. Thread-safe to read.
class MotorBatches {
 public:
  virtual ~MotorBatches() = default;

  virtual int64_t num_batches() const = 0;
  virtual int64_t num_tokens(int64_t batch) const = 0;
  // Fresh CPU tensors.
  virtual MotorBatch read(int64_t batch) const = 0;
};

}  // namespace sequela
