#include "sequela/model/classifier.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"

namespace sequela {
namespace {

at::Tensor on_host(const at::Tensor& tensor) {
  return tensor.to(at::kCPU, at::kFloat).contiguous();
}

// -ln P(outcome), without overflow.
double log_loss(double logit, bool outcome) {
  const double wrong = outcome ? -logit : logit;
  return std::max(wrong, 0.0) + std::log1p(std::exp(-std::abs(wrong)));
}

}  // namespace

double to_probability(double logit) {
  return 1 / (1 + std::exp(-logit));
}

Classifier::Classifier(int64_t hidden_size, at::Device device)
    : parameters_(Parameters::allocate(
          {{"classifier.weight", {1, hidden_size}, true}, {"classifier.bias", {1}, false}},
          device)) {}

void Classifier::set(std::span<const float> weight_H, double bias) {
  at::Tensor& weight = parameters_.items[0].value;
  SEQUELA_CHECK(static_cast<int64_t>(weight_H.size()) == weight.numel());
  const at::Tensor values =
      at::from_blob(const_cast<float*>(weight_H.data()), weight.sizes(), at::kFloat);
  weight.copy_(values);
  parameters_.items[1].value.fill_(bias);
}

std::vector<double> Classifier::logits(const at::Tensor& states_LH) const {
  const at::Tensor states = on_host(states_LH), weight = on_host(parameters_.items[0].value);
  const double bias = parameters_.items[1].value.item<double>();
  const int64_t hidden = weight.numel();
  SEQUELA_CHECK(states.dim() == 2 && states.size(1) == hidden);
  const auto* w = weight.const_data_ptr<float>();
  const auto* state = states.const_data_ptr<float>();
  std::vector<double> logits(states.size(0));
  for (double& logit : logits) {
    logit = bias;
    for (int64_t i = 0; i < hidden; ++i) logit += static_cast<double>(w[i]) * state[i];
    state += hidden;
  }
  return logits;
}

Classifier::Cost Classifier::cost(const at::Tensor& states_LH, std::span<const uint8_t> outcomes,
                                  std::optional<double> gradient_scale) {
  Cost cost{.logits = logits(states_LH)};
  SEQUELA_CHECK(cost.logits.size() == outcomes.size());
  for (size_t l = 0; l < outcomes.size(); ++l)
    cost.sum += log_loss(cost.logits[l], outcomes[l] != 0);
  if (!gradient_scale) return cost;

  const at::Tensor states = on_host(states_LH), weight = on_host(parameters_.items[0].value);
  const int64_t hidden = weight.numel();
  cost.grad_states_LH = at::empty(states.sizes(), at::kFloat);
  const auto* w = weight.const_data_ptr<float>();
  const auto* state = states.const_data_ptr<float>();
  auto* grad_state = cost.grad_states_LH.mutable_data_ptr<float>();
  std::vector<double> grad_weight(hidden);
  double grad_bias = 0;
  for (size_t l = 0; l < outcomes.size(); ++l, state += hidden, grad_state += hidden) {
    const double grad_logit = *gradient_scale * (to_probability(cost.logits[l]) - outcomes[l]);
    grad_bias += grad_logit;
    for (int64_t i = 0; i < hidden; ++i) {
      grad_weight[i] += grad_logit * state[i];
      grad_state[i] = static_cast<float>(grad_logit * w[i]);
    }
  }
  if (!parameters_.items[0].gradient.defined()) parameters_.zero_gradients();
  at::Tensor& gradient = parameters_.items[0].gradient;
  gradient.add_(at::from_blob(grad_weight.data(), gradient.sizes(), at::kDouble)
                    .to(gradient.device(), at::kFloat));
  parameters_.items[1].gradient.add_(grad_bias);
  return cost;
}

}  // namespace sequela
