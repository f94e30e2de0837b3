#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sequela/nn/parameters.h"

namespace sequela {

// A linear head on hidden states: P(outcome) = 1 / (1 + exp(-(weight . state + bias))). It computes
// on the CPU, where its inputs are few, in double, in the order of the labels: the numbers depend
// on no thread.
//
//   L = labels, H = hidden size
class Classifier {
 public:
  // The names of its tensors in model.safetensors begin with it.
  static constexpr const char* kPrefix = "classifier.";

  // All 0, so that every probability is 1/2.
  Classifier(int64_t hidden_size, at::Device device);

  Parameters& parameters() { return parameters_; }  // classifier.weight [1, H], .bias [1]
  const Parameters& parameters() const { return parameters_; }
  int64_t hidden_size() const { return parameters_.items[0].value.size(1); }
  void set(std::span<const float> weight_H, double bias);

  // states_LH: float32 on any device.
  std::vector<double> logits(const at::Tensor& states_LH) const;

  struct Cost {
    double sum = 0;              // over labels, -ln P(outcome), in nats
    std::vector<double> logits;  // by label
    at::Tensor grad_states_LH;   // float32 on the CPU; with a gradient scale only
  };
  // outcomes: 0 or 1, one a label. With `gradient_scale`, also adds gradient_scale * d sum / d
  // parameter to the parameters' gradients, and gives gradient_scale * d sum / d state.
  Cost cost(const at::Tensor& states_LH, std::span<const uint8_t> outcomes,
            std::optional<double> gradient_scale);

 private:
  Parameters parameters_;
};

double to_probability(double logit);

}  // namespace sequela
