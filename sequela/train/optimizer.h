#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "sequela/nn/parameters.h"
#include "sequela/train/train_options.h"

namespace sequela {

// AdamW (Loshchilov & Hutter, arXiv:1711.05101) over a model's parameters, with clipping of the
// global gradient norm. Moments are float32, on the parameters' device.
class AdamW {
 public:
  // Refers to `parameters`, which must outlive it and keep their number and order.
  AdamW(Parameters& parameters, const TrainOptions& options);

  // Norm of all gradients before clipping, a float32 scalar on the device.
  at::Tensor gradient_norm() const;
  // Clips by `norm` and updates every parameter with the given learning rate. No host
  // synchronisation. `divisor`, if it is not 1, divides all gradients, and so the norm, first.
  void step(double learning_rate, const at::Tensor& norm, double divisor = 1);

  int64_t num_steps() const { return num_steps_; }
  double epsilon() const { return options_.epsilon; }

  // What the last step did to parameter i of `parameters`, worked out from the moments.
  struct LastStep {
    at::Tensor change;       // value after - value before
    at::Tensor root_square;  // root of the second moment, bias-corrected
  };
  LastStep last_step(size_t i) const;

  // The moments as named tensors "exp_avg.<name>" and "exp_avg_sq.<name>"; load() is the inverse
  // and throws FileError if one is missing or of another shape.
  Parameters state() const;
  void load(const Parameters& state, int64_t num_steps, const std::string& path);

 private:
  // Parameters that are updated alike.
  struct Group {
    double weight_decay = 0;
    double learning_rate_scale = 1;
    std::vector<size_t> members;  // in parameters_.items
  };

  Group& group_of(const Parameter& parameter);

  Parameters& parameters_;
  TrainOptions options_;
  std::vector<Group> groups_;
  std::vector<at::Tensor> means_, squares_;  // parallel to parameters_.items
  int64_t num_steps_ = 0;
  double last_learning_rate_ = 0;
};

}  // namespace sequela
