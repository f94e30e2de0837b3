#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "sequela/batch/motor_batches.h"
#include "sequela/model/motor.h"
#include "sequela/train/trainable.h"

namespace sequela {

// Something measured of a MOTOR model in the pass through its validation batches itself.
class ValidationYardstick {
 public:
  virtual ~ValidationYardstick() = default;

  // The tasks whose rates add() needs, int64 [S]; undefined = none. The same at each call.
  virtual at::Tensor tasks() const { return {}; }
  virtual void start() = 0;  // of a pass
  // The next batch: each task's cost (Motor::evaluate) and log2 of the rates of tasks(), [L, K, S],
  // both on the CPU.
  virtual void add(const MotorBatch& batch, const at::Tensor& cost_C,
                   const at::Tensor& log2_rates_LKS) = 0;
  virtual Figures finish() = 0;  // after the last batch
};

// A batch's inputs as named tensors, to be looked at when its loss is not finite.
Parameters dump_inputs(const BatchInputs& inputs);

// MOTOR and its batches as the training loop takes them. Refers to all of them.
class MotorTraining : public Trainable {
 public:
  // A part that is nullptr has no batches.
  MotorTraining(Motor& model, const MotorBatches* train_batches, const MotorBatches* valid_batches,
                std::vector<ValidationYardstick*> yardsticks = {});

  Parameters& parameters() override { return model_.parameters(); }
  void refresh_weights() override { model_.refresh_weights(); }
  std::vector<ParameterPart> parts() const override;
  Figures validation_figures() override;
  int64_t num_batches(TrainPart part) const override;
  int64_t num_tokens(int64_t batch) const override { return train_batches_->num_tokens(batch); }
  bool has_events() const override { return true; }
  std::unique_ptr<BatchPass> start_pass(PassPlan plan) override;
  std::string take_less_memory() override;
  // From the next pass on batches with more tokens are computed in parts of whole sequences of
  // about so many at the most, with the same result but for the order of sums.
  void set_tokens_per_pass(int64_t tokens);
  std::string config_json() const override;
  Precision precision() const override { return model_.precision(); }
  double flops_per_token() const override { return model_.flops_per_token(); }
  Parameters dump_batch(int64_t batch) const override;

 private:
  const MotorBatches* batches(TrainPart part) const {
    return part == TrainPart::train ? train_batches_ : valid_batches_;
  }

  Motor& model_;
  const MotorBatches* train_batches_;
  const MotorBatches* valid_batches_;
  const std::vector<ValidationYardstick*> yardsticks_;
  int64_t num_parts_ = 1;       // that a batch is computed in, at the most
  int64_t parts_of_batch_ = 1;  // of the last batch: fewer where it has no more sequences
};

}  // namespace sequela
