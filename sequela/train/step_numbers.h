#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace sequela {

// What steps tell of themselves, kept on the device until the host reads it: it need not wait for
// each step. Not thread-safe.
class StepNumbers {
 public:
  // A batch of the step under way: its loss, a scalar on the device.
  void add_batch(int64_t batch, const at::Tensor& loss);
  // The step is complete; `norm`: of its gradients, before they are divided by `divisor`.
  void end_step(int64_t step, const at::Tensor& norm, double divisor);
  // Forgets the batches of the step under way.
  void drop_batches();

  size_t num_unread() const { return unread_.size(); }  // steps

  // The first number that is not finite.
  struct Fault {
    int64_t step, batch;
    const char* what;  // "loss", "gradient"
  };
  // All since the last call, also of the batches of `step`, which is under way; up to a fault.
  // Waits for the device.
  struct Read {
    double loss_sum = 0;
    int64_t num_losses = 0;
    double ended_loss_sum = 0;  // of those, of steps that are complete
    int64_t num_ended_losses = 0;
    double norm = 0;  // of the last step, divided
    std::optional<Fault> fault;
  };
  Read read(int64_t step);

 private:
  struct Batch {
    int64_t number;
    at::Tensor loss;
  };
  struct Step {
    int64_t step;
    at::Tensor norm;
    double divisor;
    std::vector<Batch> batches;
    int64_t last_batch;
  };
  static void read_losses(int64_t step, const std::vector<Batch>& batches, Read& result);

  std::vector<Step> unread_;
  std::vector<Batch> batches_;  // of the step under way, unread
  int64_t last_batch_ = 0;
};

}  // namespace sequela
