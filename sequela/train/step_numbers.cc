#include "sequela/train/step_numbers.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

namespace sequela {

void StepNumbers::add_batch(int64_t batch, const at::Tensor& loss) {
  batches_.push_back({batch, loss});
  last_batch_ = batch;
}

void StepNumbers::end_step(int64_t step, const at::Tensor& norm, double divisor) {
  unread_.push_back({step, norm, divisor, std::exchange(batches_, {}), last_batch_});
}

void StepNumbers::drop_batches() {
  batches_.clear();
}

void StepNumbers::read_losses(int64_t step, const std::vector<Batch>& batches, Read& result) {
  for (const Batch& batch : batches) {
    const double loss = batch.loss.item<double>();
    if (!std::isfinite(loss)) {
      result.fault = Fault{step, batch.number, "loss"};
      return;
    }
    result.loss_sum += loss;
    ++result.num_losses;
  }
}

StepNumbers::Read StepNumbers::read(int64_t step) {
  Read result;
  for (const Step& ended : std::exchange(unread_, {})) {
    read_losses(ended.step, ended.batches, result);
    if (result.fault) return result;
    result.norm = ended.norm.item<double>() / ended.divisor;
    if (std::isfinite(result.norm)) continue;
    result.fault = Fault{ended.step, ended.last_batch, "gradient"};
    return result;
  }
  result.ended_loss_sum = result.loss_sum;
  result.num_ended_losses = result.num_losses;
  read_losses(step, std::exchange(batches_, {}), result);
  return result;
}

}  // namespace sequela
