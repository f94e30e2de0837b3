#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <vector>

#include "sequela/distributed/world.h"
#include "sequela/train/checkpoint.h"
#include "sequela/train/gradient_sums.h"
#include "sequela/train/step_exchange.h"
#include "sequela/train/step_journal.h"
#include "sequela/train/step_numbers.h"
#include "sequela/train/step_share.h"
#include "sequela/train/train_options.h"
#include "sequela/train/trainable.h"

namespace sequela {

// Takes the batches of optimizer steps, this rank's part of each, up to the sum of their gradients,
// and counts them in the run's state. A step that is broken off, by a stop signal or for lack of
// memory, is begun again, but by a rank that is alone after a signal: it goes on from there.
class StepBatches {
 public:
  // Refers to all of them. `state`: where the run stands, with this class's counters.
  StepBatches(Trainable& model, const TrainOptions& options, GradientSums& sums,
              StepJournal& journal, TrainState& state, World& world);

  // This rank's batches of a step, until a signal comes between them or the memory does not
  // suffice.
  void run(const StepShare& share, BatchPass& pass);
  // Brings the state up to date with the batches of all ranks. False if the step was broken off.
  bool meet(const StepShare& share);
  // After the step's gradients were added up; `norm` and `divisor`: StepNumbers::end_step().
  void end_step(const at::Tensor& norm, double divisor) {
    numbers_.end_step(state_.step, norm, divisor);
  }

  // What was done of the step under way is forgotten; it begins anew, in a pass of its own.
  void drop();
  // The model computes with less memory, after a step or an evaluation for which the device's did
  // not suffice. To be called where `error` is caught: rethrows it if the model cannot.
  void take_less_memory(const std::exception& error);

  size_t num_unread() const { return numbers_.num_unread(); }  // steps
  // Brings the numbers of the steps since the last call to the host. The last one's gradient norm.
  // DataError if one is not finite, after writing its batch to <folder>/non_finite.safetensors.
  double read_numbers();

 private:
  void add_to_step(const BatchLoss& loss, int64_t batch_index);
  void take_parts(const std::vector<StepPart>& parts);
  [[noreturn]] void dump_and_throw(const StepNumbers::Fault& fault);

  Trainable& model_;
  const TrainOptions& options_;
  GradientSums& sums_;
  StepJournal& journal_;
  TrainState& state_;
  World& world_;
  StepNumbers numbers_;
  StepPart part_;                        // of the step under way
  std::vector<at::Tensor> part_losses_;  // of its batches, on the device, if there are other ranks
};

}  // namespace sequela
