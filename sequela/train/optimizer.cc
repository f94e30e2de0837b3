#include "sequela/train/optimizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"

namespace sequela {

AdamW::AdamW(Parameters& parameters, const TrainOptions& options)
    : parameters_(parameters), options_(options) {
  for (size_t i = 0; i < parameters_.items.size(); ++i) {
    const Parameter& parameter = parameters_.items[i];
    means_.push_back(at::zeros_like(parameter.value));
    squares_.push_back(at::zeros_like(parameter.value));
    group_of(parameter).members.push_back(i);
  }
}

AdamW::Group& AdamW::group_of(const Parameter& parameter) {
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

at::Tensor AdamW::gradient_norm() const {
  std::vector<at::Tensor> gradients;
  for (const Parameter& parameter : parameters_.items) gradients.push_back(parameter.gradient);
  return at::stack(at::_foreach_norm(gradients)).norm();
}

void AdamW::step(double learning_rate, const at::Tensor& norm, double divisor) {
  ++num_steps_;
  last_learning_rate_ = learning_rate;
  const at::Tensor step = at::full({}, static_cast<double>(num_steps_), norm.options());
  // Gradients are divided by `scale` inside the fused update: max(1, norm / allowed) is the
  // clipping.
  std::optional<at::Tensor> scale;
  if (options_.max_gradient_norm > 0) {
    const at::Tensor divided = divisor == 1 ? norm : norm / divisor;
    scale = ((divided + 1e-6) / options_.max_gradient_norm).clamp_min(1.0);
  }
  if (divisor != 1) {
    scale = scale ? *scale * divisor : at::full({}, divisor, norm.options());
  }
  for (const Group& group : groups_) {
    std::vector<at::Tensor> values, gradients, means, squares;
    for (const size_t i : group.members) {
      values.push_back(parameters_.items[i].value);
      gradients.push_back(parameters_.items[i].gradient);
      means.push_back(means_[i]);
      squares.push_back(squares_[i]);
    }
    const std::vector<at::Tensor> steps(values.size(), step);
    at::_fused_adamw_(values, gradients, means, squares, {}, steps,
                      learning_rate * group.learning_rate_scale, options_.beta1, options_.beta2,
                      group.weight_decay, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false, scale, /*found_inf=*/std::nullopt);
  }
}

AdamW::LastStep AdamW::last_step(size_t i) const {
  const auto is_of = [&](const Group& group) {
    return std::find(group.members.begin(), group.members.end(), i) != group.members.end();
  };
  const Group& group = *std::find_if(groups_.begin(), groups_.end(), is_of);
  const double steps = static_cast<double>(num_steps_);
  const double rate = last_learning_rate_ * group.learning_rate_scale;
  LastStep last;
  last.root_square = squares_[i].sqrt().div_(std::sqrt(1 - std::pow(options_.beta2, steps)));
  last.change = means_[i]
                    .div(last.root_square + options_.epsilon)
                    .mul_(-rate / (1 - std::pow(options_.beta1, steps)));
  const double kept = 1 - rate * group.weight_decay;  // of the value, before the change was added
  if (kept != 1) {
    last.change.add_((parameters_.items[i].value - last.change).mul_((kept - 1) / kept));
  }
  return last;
}

Parameters AdamW::state() const {
  Parameters state;
  for (size_t i = 0; i < parameters_.items.size(); ++i) {
    const std::string& name = parameters_.items[i].name;
    state.items.push_back({"exp_avg." + name, means_[i], {}, false});
    state.items.push_back({"exp_avg_sq." + name, squares_[i], {}, false});
  }
  return state;
}

void AdamW::load(const Parameters& state, int64_t num_steps, const std::string& path) {
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
    copy("exp_avg_sq." + parameters_.items[i].name, squares_[i]);
  }
  num_steps_ = num_steps;
}

}  // namespace sequela
