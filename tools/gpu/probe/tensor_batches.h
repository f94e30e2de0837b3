#pragma once

#include <string>
#include <vector>

#include "sequela/batch/motor_batches.h"

namespace sequela {

// Prepared batches in one safetensors file, to be read where there is no Arrow: tensor
// "<batch>.<field>" for each field of nn/inputs.h that a model computes with, in the type it is
// held in but for
//   token_weights, time_data   float16, which holds their values exactly
//   task_ids                   int16, if there are no more than 32,768 tasks
void write_tensor_batches(const std::string& path, const std::vector<MotorBatch>& batches,
                          int64_t num_tasks);

// Such a file's batches in memory; `joined` of them, one after another, make one batch. FileError.
class TensorBatches : public MotorBatches {
 public:
  TensorBatches(const std::string& path, int64_t joined);

  int64_t num_batches() const override { return static_cast<int64_t>(batches_.size()); }
  int64_t num_tokens(int64_t batch) const override {
    return batches_.at(batch).inputs.ages_days_T.size(0);
  }
  MotorBatch read(int64_t batch) const override { return batches_.at(batch); }

 private:
  std::vector<MotorBatch> batches_;
};

}  // namespace sequela
