#include "sequela/train/optimizer.h"

#include <ATen/ATen.h>

#include "sequela/core/error.h"

namespace sequela {

AdamW::AdamW(Parameters& parameters, const TrainOptions& options)
    : parameters_(parameters), options_(options) {
  for (const Parameter& parameter : parameters_.items) {
    means_.push_back(at::zeros_like(parameter.value));
    squares_.push_back(at::zeros_like(parameter.value));
  }
}

at::Tensor AdamW::gradient_norm() const {
  std::vector<at::Tensor> gradients;
  for (const Parameter& parameter : parameters_.items) gradients.push_back(parameter.gradient);
  return at::stack(at::_foreach_norm(gradients)).norm();
}

void AdamW::step(double learning_rate, const at::Tensor& norm) {
  ++num_steps_;
  Group decayed{options_.weight_decay}, plain{0.0};
  const at::Tensor step = at::full({}, static_cast<double>(num_steps_), norm.options());
  for (size_t i = 0; i < parameters_.items.size(); ++i) {
    Parameter& parameter = parameters_.items[i];
    Group& group = parameter.is_decayed ? decayed : plain;
    group.values.push_back(parameter.value);
    group.gradients.push_back(parameter.gradient);
    group.means.push_back(means_[i]);
    group.squares.push_back(squares_[i]);
    group.steps.push_back(step);
  }
  // Gradients are divided by `scale` inside the fused update: max(1, norm / allowed) is the
  // clipping.
  std::optional<at::Tensor> scale;
  if (options_.max_gradient_norm > 0) {
    scale = ((norm + 1e-6) / options_.max_gradient_norm).clamp_min(1.0);
  }
  for (Group* group : {&decayed, &plain}) {
    if (group->values.empty()) continue;
    at::_fused_adamw_(group->values, group->gradients, group->means, group->squares, {},
                      group->steps, learning_rate, options_.beta1, options_.beta2,
                      group->weight_decay, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false, scale, /*found_inf=*/std::nullopt);
  }
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
