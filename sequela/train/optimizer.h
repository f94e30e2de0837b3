#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sequela/distributed/world.h"
#include "sequela/nn/parameters.h"
#include "sequela/train/sharding.h"
#include "sequela/train/train_options.h"

namespace sequela {

// AdamW (Loshchilov & Hutter, arXiv:1711.05101) over a model's parameters, with clipping of the
// global gradient norm; or Muon (muon.h) on its matrices and AdamW on the rest. Moments are
// float32, on the parameters' device. Each rank holds and updates its own pieces (sharding.h).
class Optimizer {
 public:
  // Refers to `parameters`, which must outlive it and keep their number and order, and to `world`.
  // Muon takes the parameters whose parts are all matrices, and multiplies in `product_type`;
  // ConfigError if it is asked for and there is none.
  Optimizer(Parameters& parameters, const TrainOptions& options,
            const std::vector<ParameterPart>& parts = {}, at::ScalarType product_type = at::kFloat,
            World& world = lone_world());

  const Sharding& sharding() const { return sharding_; }

  // Norm of all ranks' own gradients before clipping, a float32 scalar on the device: of chunks,
  // then of chunks of those norms, so that its bits depend neither on threads nor on ranks.
  at::Tensor gradient_norm() const;
  // Clips by `norm`, updates this rank's pieces with the given learning rate and shares them out.
  // No host synchronisation. `divisor`, if it is not 1, divides all gradients, and so the norm,
  // first.
  void step(double learning_rate, const at::Tensor& norm, double divisor = 1);

  int64_t num_steps() const { return num_steps_; }
  double epsilon() const { return options_.epsilon; }

  // What the last step did to parameter i of `parameters`, worked out from the moments and, of
  // Muon's, from the gradients, which must still be there. All ranks call it together.
  struct LastStep {
    at::Tensor change;       // value after - value before
    at::Tensor root_square;  // root of the second moment, bias-corrected; undefined: Muon has none
  };
  LastStep last_step(size_t i) const;

  // This rank's moments as named tensors: "exp_avg.<name>" and, of AdamW's, "exp_avg_sq.<name>"; of
  // a piece of a parameter "exp_avg.<name>@<start>", flat.
  Parameters state() const;
  // The inverse, from all ranks' states of a run of any number of ranks; `next` gives one of them
  // at a time. FileError if a value is missing or of another shape.
  void load(const std::function<std::optional<Parameters>()>& next, int64_t num_steps,
            const std::string& path);
  void load(const Parameters& state, int64_t num_steps, const std::string& path);

 private:
  // A piece with its moments. Only AdamW's have a square.
  struct Own {
    Piece piece;
    at::Tensor mean, square;  // of the parameter's shape if the piece is all of it, else flat
  };
  // Pieces that are updated alike.
  struct Group {
    double weight_decay = 0;
    double learning_rate_scale = 1;
    std::vector<size_t> members;   // in own_: AdamW's
    std::vector<size_t> matrices;  // Muon's
  };

  Group group_values(const Parameter& parameter) const;
  Group& group_of(const Parameter& parameter);
  std::vector<bool> wholes() const;
  bool is_muons(size_t i) const { return !matrix_parts_[i].empty(); }
  void step_adamw(const Group& group, double learning_rate);
  void step_muon(const Group& group, double learning_rate);
  at::Tensor scaled_gradient(size_t i) const;
  at::Tensor direction(const at::Tensor& mean, const at::Tensor& gradient) const;  // of Muon
  at::Tensor whole_moment(size_t i, at::Tensor Own::*moment) const;
  int64_t take_over(const Parameters& state, const std::string& path);

  Parameters& parameters_;
  TrainOptions options_;
  const at::ScalarType product_type_;
  World& world_;
  std::vector<std::vector<ParameterPart>> matrix_parts_;  // by parameter; only Muon's have some
  Sharding sharding_;
  std::vector<Own> own_;
  std::vector<Group> groups_;
  int64_t num_steps_ = 0;
  double last_learning_rate_ = 0;
  std::optional<at::Tensor> scale_;  // that gradients were divided by in the last step
};

}  // namespace sequela
