#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sequela/batch/arrays_batch.h"
#include "sequela/batch/check.h"
#include "sequela/batch/motor_batches.h"

namespace sequela {

// A folder of batches on disk, compact or femr's form (told by its files).
class BatchFolder : public MotorBatches {
 public:
  // limits: of the model that is to read the batches; what goes beyond them is refused. FileError.
  static BatchFolder open(const std::string& folder, const BatchLimits& limits = {});
  BatchFolder(BatchFolder&&) noexcept;
  ~BatchFolder() override;

  int64_t num_batches() const override;
  int64_t num_tokens(int64_t batch) const override;
  // Throws FileError if the batch is damaged, or of another objective.
  MotorBatch read(int64_t batch) const override;
  ArraysBatch read_arrays(int64_t batch) const;

 private:
  struct State;
  explicit BatchFolder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sequela
