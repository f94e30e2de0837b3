#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sequela/model/motor.h"
#include "sequela/nn/parameters.h"
#include "sequela/train/optimizer_health.h"
#include "sequela/train/train_options.h"
#include "sequela/train/yardstick.h"

namespace sequela {

// What the training loop (trainer.h) needs of a model and its data: implement this to train
// anything with its schedule, accumulation, clipping, early stopping, checkpoints and exact resume.
// MOTOR's is motor_training.h.
//
// A run repeats bit for bit, also after a stop in the middle of an epoch, if the outcome of a batch
// depends on the weights, PassPlan::key and the batch's number alone: take all random numbers
// (dropout, masking) from hash_key(key, batch).

enum class TrainPart { train, validation };

struct PassPlan {
  TrainPart part = TrainPart::train;
  std::vector<int64_t> batches;  // numbers below num_batches(part), in the order to take them
  uint64_t key = 0;              // of random numbers: of (seed, epoch) in training, 0 in validation
  LossScale loss_scale = LossScale::mean;
};

struct BatchLoss {
  at::Tensor loss;         // float32 scalar on the model's device: the batch's mean
  int64_t num_tokens = 0;  // what the speed counts
  int64_t num_events = 0;  // what LossScale::events divides by
};

// One pass over the batches of a plan. May read ahead on a thread of its own.
class BatchPass {
 public:
  virtual ~BatchPass() = default;
  // Loss of the plan's next batch; nullopt at the end. With `gradient_scale`, also adds
  // gradient_scale * d loss / d parameter to the parameters' gradients; under LossScale::events, of
  // the batch's summed cost in place of the loss.
  virtual std::optional<BatchLoss> next(std::optional<double> gradient_scale) = 0;
};

class Trainable {
 public:
  virtual ~Trainable() = default;

  // The weights that are trained, with their gradients; always the same tensors. Frozen weights are
  // not among them: they cost neither gradient nor moments.
  virtual Parameters& parameters() = 0;
  // Tells the model that parameters() changed.
  virtual void refresh_weights() {}

  // The kinds of parameters whose health is reported; empty = none is.
  virtual std::vector<ParameterPart> parts() const { return {}; }

  virtual int64_t num_batches(TrainPart part) const = 0;
  // Of a training batch, about: ranks get batches of as many tokens.
  virtual int64_t num_tokens(int64_t) const { return 1; }
  // Whether its batches count events, so that LossScale::events is possible.
  virtual bool has_events() const { return false; }
  virtual std::unique_ptr<BatchPass> start_pass(PassPlan plan) = 0;
  // After the device's memory did not suffice: from the next pass on the same is computed with
  // less. What was done, for the log; "" if there is nothing more to do.
  virtual std::string take_less_memory() { return ""; }
  // What the last whole pass through the validation batches tells beside its loss.
  virtual Figures validation_figures() { return {}; }

  virtual std::string config_json() const = 0;  // stored as config.json in checkpoints
  virtual Precision precision() const { return Precision::fp32; }
  // Floating-point operations of a training step per token, for the share of the machine's rate;
  // 0: not known, and not reported.
  virtual double flops_per_token() const { return 0; }
  // Tensors of a training batch, written beside the error when its loss is not finite.
  virtual Parameters dump_batch(int64_t batch) const;
};

inline Parameters Trainable::dump_batch(int64_t) const {
  return {};
}

}  // namespace sequela
