#pragma once

#include "sequela/batch/loader.h"
#include "sequela/model/motor.h"
#include "sequela/train/trainable.h"

namespace sequela {

// MOTOR and its batches as the training loop takes them. Refers to all three.
class MotorTraining : public Trainable {
 public:
  // A part without a folder (nullptr) has no batches.
  MotorTraining(Motor& model, const BatchFolder* train_batches, const BatchFolder* valid_batches)
      : model_(model), train_batches_(train_batches), valid_batches_(valid_batches) {}

  Parameters& parameters() override { return model_.parameters(); }
  void refresh_weights() override { model_.refresh_weights(); }
  int64_t num_batches(TrainPart part) const override;
  std::unique_ptr<BatchPass> start_pass(PassPlan plan) override;
  std::string config_json() const override;
  Precision precision() const override { return model_.precision(); }
  double flops_per_token() const override { return model_.flops_per_token(); }
  Parameters dump_batch(int64_t batch) const override;

 private:
  const BatchFolder* folder(TrainPart part) const {
    return part == TrainPart::train ? train_batches_ : valid_batches_;
  }

  Motor& model_;
  const BatchFolder* train_batches_;
  const BatchFolder* valid_batches_;
};

}  // namespace sequela
