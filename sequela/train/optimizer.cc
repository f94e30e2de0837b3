#include "sequela/train/optimizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/train/muon.h"

namespace sequela {
namespace {

// By parameter: its parts, if all are matrices; else none.
void find_matrices(const std::vector<ParameterPart>& parts,
                   std::vector<std::vector<ParameterPart>>& matrix_parts) {
  for (const ParameterPart& part : parts) {
    if (part.is_matrix) matrix_parts[part.parameter].push_back(part);
  }
  for (const ParameterPart& part : parts) {
    if (!part.is_matrix) matrix_parts[part.parameter].clear();
  }
  const bool has_none =
      std::ranges::all_of(matrix_parts, [](const auto& own) { return own.empty(); });
  if (has_none) throw ConfigError("optimizer", "muon", "adamw: this model names no matrices");
}

}  // namespace

Optimizer::Optimizer(Parameters& parameters, const TrainOptions& options,
                     const std::vector<ParameterPart>& parts, at::ScalarType product_type)
    : parameters_(parameters),
      options_(options),
      product_type_(product_type),
      matrix_parts_(parameters.items.size()) {
  if (options.optimizer == OptimizerKind::muon) find_matrices(parts, matrix_parts_);
  for (size_t i = 0; i < parameters_.items.size(); ++i) {
    const Parameter& parameter = parameters_.items[i];
    means_.push_back(at::zeros_like(parameter.value));
    squares_.push_back(is_muons(i) ? at::Tensor() : at::zeros_like(parameter.value));
    Group& group = group_of(parameter);
    (is_muons(i) ? group.matrices : group.members).push_back(i);
  }
}

Optimizer::Group& Optimizer::group_of(const Parameter& parameter) {
  Group wanted;
  wanted.weight_decay = parameter.is_decayed ? options_.weight_decay : 0.0;
  for (const ParameterGroup& group : options_.groups) {
    if (parameter.name.find(group.name_part) == std::string::npos) continue;
    wanted.learning_rate_scale = group.learning_rate_scale;
    break;
  }
  for (Group& group : groups_) {
    if (group.weight_decay == wanted.weight_decay &&
        group.learning_rate_scale == wanted.learning_rate_scale) {
      return group;
    }
  }
  groups_.push_back(wanted);
  return groups_.back();
}

const Optimizer::Group& Optimizer::group_with(size_t i) const {
  const auto holds = [&](const Group& group) {
    const std::vector<size_t>& own = is_muons(i) ? group.matrices : group.members;
    return std::find(own.begin(), own.end(), i) != own.end();
  };
  return *std::find_if(groups_.begin(), groups_.end(), holds);
}

at::Tensor Optimizer::gradient_norm() const {
  std::vector<at::Tensor> gradients;
  for (const Parameter& parameter : parameters_.items) gradients.push_back(parameter.gradient);
  return at::stack(at::_foreach_norm(gradients)).norm();
}

void Optimizer::step(double learning_rate, const at::Tensor& norm, double divisor) {
  ++num_steps_;
  last_learning_rate_ = learning_rate;
  // Gradients are divided by the scale inside the updates: max(1, norm / allowed) is the clipping.
  scale_.reset();
  if (options_.max_gradient_norm > 0) {
    const at::Tensor divided = divisor == 1 ? norm : norm / divisor;
    scale_ = ((divided + 1e-6) / options_.max_gradient_norm).clamp_min(1.0);
  }
  if (divisor != 1) {
    scale_ = scale_ ? *scale_ * divisor : at::full({}, divisor, norm.options());
  }
  for (const Group& group : groups_) {
    step_adamw(group, learning_rate * group.learning_rate_scale);
    step_muon(group, learning_rate * group.learning_rate_scale);
  }
}

void Optimizer::step_adamw(const Group& group, double learning_rate) {
  if (group.members.empty()) return;
  std::vector<at::Tensor> values, gradients, means, squares;
  for (const size_t i : group.members) {
    values.push_back(parameters_.items[i].value);
    gradients.push_back(parameters_.items[i].gradient);
    means.push_back(means_[i]);
    squares.push_back(squares_[i]);
  }
  const std::vector<at::Tensor> steps(
      values.size(), at::full({}, static_cast<double>(num_steps_), values[0].options()));
  at::_fused_adamw_(values, gradients, means, squares, {}, steps, learning_rate, options_.beta1,
                    options_.beta2, group.weight_decay, options_.epsilon, /*amsgrad=*/false,
                    /*maximize=*/false, scale_, /*found_inf=*/std::nullopt);
}

void Optimizer::step_muon(const Group& group, double learning_rate) {
  for (const size_t i : group.matrices) {
    const at::Tensor gradient = scaled_gradient(i);
    means_[i].lerp_(gradient, 1 - options_.muon_momentum);
    at::Tensor value = parameters_.items[i].value;
    value.mul_(1 - learning_rate * group.weight_decay);
    value.sub_(muon_change(direction(i, gradient), matrix_parts_[i], product_type_),
               learning_rate * options_.muon_scale);
  }
}

at::Tensor Optimizer::scaled_gradient(size_t i) const {
  const at::Tensor& gradient = parameters_.items[i].gradient;
  return scale_ ? gradient / *scale_ : gradient;
}

// The mean as it would be if the gradient came once more (Nesterov).
at::Tensor Optimizer::direction(size_t i, const at::Tensor& gradient) const {
  return gradient.lerp(means_[i], options_.muon_momentum);
}

Optimizer::LastStep Optimizer::last_step(size_t i) const {
  const Group& group = group_with(i);
  const double steps = static_cast<double>(num_steps_);
  const double rate = last_learning_rate_ * group.learning_rate_scale;
  LastStep last;
  if (is_muons(i)) {
    last.change = muon_change(direction(i, scaled_gradient(i)), matrix_parts_[i], product_type_)
                      .mul_(-rate * options_.muon_scale);
  } else {
    last.root_square = squares_[i].sqrt().div_(std::sqrt(1 - std::pow(options_.beta2, steps)));
    last.change = means_[i]
                      .div(last.root_square + options_.epsilon)
                      .mul_(-rate / (1 - std::pow(options_.beta1, steps)));
  }
  const double kept = 1 - rate * group.weight_decay;  // of the value, before the change was added
  if (kept != 1) {
    last.change.add_((parameters_.items[i].value - last.change).mul_((kept - 1) / kept));
  }
  return last;
}

Parameters Optimizer::state() const {
  Parameters state;
  for (size_t i = 0; i < parameters_.items.size(); ++i) {
    const std::string& name = parameters_.items[i].name;
    state.items.push_back({"exp_avg." + name, means_[i], {}, false});
    if (!is_muons(i)) state.items.push_back({"exp_avg_sq." + name, squares_[i], {}, false});
  }
  return state;
}

void Optimizer::load(const Parameters& state, int64_t num_steps, const std::string& path) {
  auto copy = [&](const std::string& name, at::Tensor& target) {
    const Parameter* found = state.find(name);
    if (found == nullptr || found->value.sizes() != target.sizes()) {
      throw FileError(path, str("optimizer state '", name, "' is missing or has another shape"),
                      "remove this checkpoint");
    }
    target.copy_(found->value);
  };
  for (size_t i = 0; i < parameters_.items.size(); ++i) {
    copy("exp_avg." + parameters_.items[i].name, means_[i]);
    if (!is_muons(i)) copy("exp_avg_sq." + parameters_.items[i].name, squares_[i]);
  }
  num_steps_ = num_steps;
}

}  // namespace sequela
