#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "sequela/model/encoder_config.h"
#include "sequela/model/encoder_weights.h"
#include "sequela/model/workspace.h"
#include "sequela/nn/inputs.h"
#include "sequela/nn/time_to_event.h"

namespace sequela {

// The MOTOR head on labelled tokens: hidden states to piecewise-exponential event rates, and their
// loss.
//
//   T = tokens, H = hidden size, L = labelled tokens, K = time bins, F = final layer size, C =
//   tasks
class MotorHead {
 public:
  MotorHead(const MotorHeadConfig& config, at::ScalarType type, at::Device device,
            const Ways& ways = {});

  // Mean loss of the labels (time_to_event.h), a float32 scalar; 0 without labels. hidden_TH: of
  // `type`. With `backward`, also its gradients, times their scale.
  struct Backward {
    double scale = 1;
    const MotorHeadTensors* gradients = nullptr;  // added to
    at::Tensor grad_hidden_TH;                    // of `type`, written
  };
  at::Tensor loss(const at::Tensor& hidden_TH, const at::Tensor& label_indices_L,
                  const MotorTargets& targets, const MotorHeadTensors& weights,
                  const std::optional<Backward>& backward);

  // The loss with its parts by task, and the log2 rates of some tasks (int64 ids; undefined = none)
  // [L, K, S].
  struct Evaluation {
    TimeToEventCosts costs;
    at::Tensor log2_rates_LKS;
  };
  Evaluation evaluate(const at::Tensor& hidden_TH, const at::Tensor& label_indices_L,
                      const MotorTargets& targets, const MotorHeadTensors& weights,
                      const at::Tensor& tasks_S);

  // Log2 of events per second, float32 [L, K, C]: large, for inspection and risk scores.
  at::Tensor logits(const at::Tensor& hidden_TH, const at::Tensor& label_indices_L,
                    const MotorHeadTensors& weights);

  void release_memory();  // what is kept between calls

  void set_time_at_risk(TimeAtRisk time_at_risk) { time_at_risk_ = time_at_risk; }

 private:
  const at::Tensor& with_filling(Buffer& buffer, int64_t labels, int64_t columns) const;
  at::Tensor bin_features(const at::Tensor& hidden_TH, const at::Tensor& label_indices_L,
                          const MotorHeadTensors& weights);
  void bin_features_backward(const at::Tensor& grad_z, const at::Tensor& label_indices_L,
                             const MotorHeadTensors& weights, const Backward& backward);
  TimeToEventHead rates(const MotorHeadTensors& weights) const;

  const MotorHeadConfig config_;
  const at::ScalarType type_;
  const at::Device device_;
  const Ways ways_;
  TimeAtRisk time_at_risk_ = TimeAtRisk::exact;
  at::Tensor bin_edges_K1_;
  Buffer labelled_, projected_, unnormed_, inverse_rms_, normed_;
  Buffer grad_normed_, grad_unnormed_, grad_projected_, grad_labelled_, weight_scratch_;
};

}  // namespace sequela
