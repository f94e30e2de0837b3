#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "sequela/nn/parameters.h"
#include "sequela/train/train_options.h"

namespace sequela {

// AdamW (Loshchilov & Hutter, arXiv:1711.05101) over a model's parameters, with clipping of the
// global gradient norm; or Muon (muon.h) on its matrices and AdamW on the rest. Moments are
// float32, on the parameters' device.
class Optimizer {
 public:
  // Refers to `parameters`, which must outlive it and keep their number and order. Muon takes the
  // parameters whose parts are all matrices, and multiplies in `product_type`; ConfigError if it is
  // asked for and there is none.
  Optimizer(Parameters& parameters, const TrainOptions& options,
            const std::vector<ParameterPart>& parts = {}, at::ScalarType product_type = at::kFloat);

  // Norm of all gradients before clipping, a float32 scalar on the device.
  at::Tensor gradient_norm() const;
  // Clips by `norm` and updates every parameter with the given learning rate. No host
  // synchronisation. `divisor`, if it is not 1, divides all gradients, and so the norm, first.
  void step(double learning_rate, const at::Tensor& norm, double divisor = 1);

  int64_t num_steps() const { return num_steps_; }
  double epsilon() const { return options_.epsilon; }

  // What the last step did to parameter i of `parameters`, worked out from the moments and, of
  // Muon's, from the gradients, which must still be there.
  struct LastStep {
    at::Tensor change;       // value after - value before
    at::Tensor root_square;  // root of the second moment, bias-corrected; undefined: Muon has none
  };
  LastStep last_step(size_t i) const;

  // The moments as named tensors "exp_avg.<name>" and, of AdamW's, "exp_avg_sq.<name>"; load() is
  // the inverse and throws FileError if one is missing or of another shape.
  Parameters state() const;
  void load(const Parameters& state, int64_t num_steps, const std::string& path);

 private:
  // Parameters that are updated alike.
  struct Group {
    double weight_decay = 0;
    double learning_rate_scale = 1;
    std::vector<size_t> members;   // in parameters_.items: AdamW's
    std::vector<size_t> matrices;  // Muon's
  };

  Group& group_of(const Parameter& parameter);
  const Group& group_with(size_t i) const;
  bool is_muons(size_t i) const { return !matrix_parts_[i].empty(); }
  void step_adamw(const Group& group, double learning_rate);
  void step_muon(const Group& group, double learning_rate);
  at::Tensor scaled_gradient(size_t i) const;
  at::Tensor direction(size_t i, const at::Tensor& gradient) const;  // of Muon

  Parameters& parameters_;
  TrainOptions options_;
  std::vector<Group> groups_;
  const at::ScalarType product_type_;
  // Parallel to parameters_.items. Only Muon's have matrix_parts_, only AdamW's have squares_.
  std::vector<std::vector<ParameterPart>> matrix_parts_;
  std::vector<at::Tensor> means_, squares_;
  int64_t num_steps_ = 0;
  double last_learning_rate_ = 0;
  std::optional<at::Tensor> scale_;  // that gradients were divided by in the last step
};

}  // namespace sequela
